package dev.plumb.backend.cuda.fused;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clusters train narrow networks where they are asked for, and where they are estimated to be faster. */
@Tag("cuda")
class ClusterPlanTest {
  private static final NetworkSpec DEEPEST = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
  private static final DeviceLimits H100 = new DeviceLimits(227 << 10, 228 << 10, 1 << 10, 132);

  @AfterEach
  void reset() {
    System.clearProperty(CudaOptions.CLUSTERS);
  }

  /** Returns the number of tiles of a batch. */
  static int tiles(ClusterPlan plan, int batch) {
    return (int) Launches.ceilDiv(batch, plan.rowsOfTile());
  }

  @Test
  @Tag("host-device")
  void kernelsOfClustersTrainWhereTheyAreAskedFor() {
    for (Activation activation : Activation.values()) {
      NetworkSpec network = new NetworkSpec(DEEPEST.widths(), activation);
      boolean narrow = NarrowPlan.takes(network, SGD);
      assertEquals(narrow ? "fused_cluster_" + activation.key() + "_f32" : "fused_train_f32",
          launched(network, 3, Clusters.WHERE_POSSIBLE));
      assertEquals(narrow ? "fused_narrow_" + activation.key() + "_f32" : "fused_train_f32", launched(network, 3, Clusters.OFF));
    }
    assertEquals("fused_narrow_relu_f32", launched(DEEPEST, 400, Clusters.WHERE_FASTER), "a device of 4 multiprocessors");
  }

  /** There are no kernels for clusters that read weights. */
  @Test
  @Tag("host-device")
  void oneBlockTrainsWeightedRows() {
    Dataset data = RandomData.draw(3, DEEPEST, Loss.MSE, new NumpyRandom(1)).withWeights(new double[] {1, 2, 3});
    assertEquals("fused_narrow_relu_weighted_f32", NarrowPlanTest.launched(opened(Clusters.WHERE_POSSIBLE), DEEPEST, SGD, data));
    NetworkSpec general = new NetworkSpec(DEEPEST.widths(), Activation.GELU);
    assertEquals("fused_train_weighted_f32", NarrowPlanTest.launched(opened(Clusters.OFF), general, SGD, data));
  }

  private static String launched(NetworkSpec network, int rows, Clusters clusters) {
    return NarrowPlanTest.launched(opened(clusters), network, SGD, rows);
  }

  private static CudaBackend opened(Clusters clusters) {
    CudaUnderTest.load(Order.FORWARD);
    return new CudaBackend(0, new CudaOptions(Execution.CHECKED, true, Planner.FUSED, true).withClusters(clusters));
  }

  @ParameterizedTest
  @CsvSource({
    // batch, rows of a tile, tiles, threads
    "1, 256, 1, 192", "256, 256, 1, 192", "257, 512, 1, 192", "400, 512, 1, 192", "1600, 1792, 1, 224", "5000, 1792, 3, 224",
  })
  void tilesOfTheNotebooksDeepestNetworkOnAnH100(int batch, int rows, int tiles, int threads) {
    ClusterPlan plan = plan(DEEPEST, 1, batch);
    assertEquals(rows, plan.rowsOfTile());
    assertEquals(tiles, tiles(plan, batch));
    assertEquals(threads, plan.threads());
    assertEquals(8, plan.blocks());
    assertTrue(plan.memory().bytes() <= H100.sharedMemory(1), plan.memory().toString());
  }

  @Test
  void narrowestAndDeepestNetworkHasThreadsForItsShares() {
    NetworkSpec network = new NetworkSpec(Collections.nCopies(33, 4), Activation.TANH);
    ClusterPlan plan = plan(network, 1, 32);
    assertEquals(256, plan.threads());
    assertTrue(plan.threads() * 4 * plan.blocks() >= plan.layers().vector(), plan.layers().vector() + " elements");
  }

  @ParameterizedTest
  @CsvSource({
    // hidden layers, networks, batch, whether a cluster is faster
    "8, 1, 32, false", "8, 1, 224, false", "8, 1, 225, true", "8, 1, 400, true", "8, 1, 5000, true", "8, 15, 400, true",
    "8, 16, 400, false", "1, 1, 800, false", "1, 1, 1600, true",
  })
  void clustersTrainFewNetworksWithManyRows(int hidden, int replicas, int batch, boolean faster) {
    List<Integer> widths = new ArrayList<>(Collections.nCopies(hidden + 2, 8));
    widths.set(0, 3);
    widths.set(hidden + 1, 1);
    NetworkSpec network = new NetworkSpec(widths, Activation.RELU);
    assertEquals(faster, plan(network, replicas, batch).isFaster(network, replicas, batch, H100));
  }

  private static ClusterPlan plan(NetworkSpec network, int replicas, int batch) {
    return ClusterPlan.of(network, SGD, replicas, batch, batch, H100).orElseThrow();
  }

  @Test
  void blockWithoutMemoryForAWarpsRowsHasNoPlan() {
    DeviceLimits small = new DeviceLimits(24_000, 228 << 10, 1 << 10, 132);
    assertTrue(ClusterPlan.of(DEEPEST, SGD, 1, 400, 400, small).isEmpty());
  }

  @Test
  @Tag("host-device")
  void systemPropertyTurnsClustersOff() {
    HostDevice.load();
    assertEquals(Clusters.WHERE_FASTER, CudaOptions.standard().clusters());
    System.setProperty(CudaOptions.CLUSTERS, "on");
    assertEquals(Clusters.WHERE_FASTER, CudaOptions.standard().clusters());
    System.setProperty(CudaOptions.CLUSTERS, "off");
    assertEquals(Clusters.OFF, CudaOptions.standard().clusters());
    System.setProperty(CudaOptions.CLUSTERS, "true");
    assertEquals("system property plumb.cuda.clusters: \"true\" is neither on nor off",
        assertThrows(DeviceUnavailableException.class, CudaOptions::standard).getMessage());
  }
}
