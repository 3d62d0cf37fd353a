package dev.plumb.backend.cuda;

import static dev.plumb.backend.cuda.CudaSessionTest.NETWORK;
import static dev.plumb.backend.cuda.CudaSessionTest.SEED;
import static dev.plumb.backend.cuda.CudaSessionTest.data;
import static dev.plumb.backend.cuda.CudaSessionTest.started;
import static dev.plumb.backend.cuda.CudaSessionTest.variedChunk;
import static dev.plumb.golden.Close.assertRelativeToLargest;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Kind;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.cuda.layered.SmallProducts;
import dev.plumb.backend.cuda.layered.StepPlan;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Launches, waits, device memory and thread of a session of the CUDA backend. */
@Tag("cuda")
class CudaResourcesTest {
  @ParameterizedTest
  @EnumSource(Execution.class)
  @Tag("host-device")
  void onlyGraphExecutionLaunchesGraphs(Execution execution) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open(execution, Order.FORWARD);
        TrainingSession session = started(backend, NETWORK, training, data(NETWORK, Loss.MSE, 29))) {
      session.run(variedChunk(20, 29));
      session.sync();
      assertEquals(execution == Execution.GRAPH, HostDevice.count(Counter.GRAPH_LAUNCHES) > 0);
    }
  }

  @Test
  @Tag("host-device")
  void runNeitherWaitsNorAllocates() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    StepChunk chunk = variedChunk(100, 13);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession session = started(backend, NETWORK, training, data)) {
      session.run(chunk);
      session.sync();
      long waits = HostDevice.count(Counter.SYNCHRONISATIONS);
      long allocations = HostDevice.count(Counter.ALLOCATIONS);
      long kernels = HostDevice.count(Counter.KERNELS);
      session.run(chunk);
      assertEquals(waits, HostDevice.count(Counter.SYNCHRONISATIONS), "waits");
      assertEquals(allocations, HostDevice.count(Counter.ALLOCATIONS), "allocations");
      assertEquals(kernels, HostDevice.count(Counter.KERNELS), "kernels that ran before a wait");
      session.sync();
      assertTrue(HostDevice.count(Counter.KERNELS) > kernels);
    }
  }

  /** The launches of a step over gathered rows. Beyond 256 rows, the path with cuBLAS sums segments. */
  @ParameterizedTest
  @CsvSource({
    "true, 1, 4, false, false, 8, 0", "true, 1, 4, true, false, 9, 0", "true, 3, 4, false, false, 9, 0",
    "true, 1, 4, false, true, 10, 0", "true, 1, 300, false, false, 8, 0", "false, 1, 4, false, false, 11, 8",
    "false, 1, 4, true, false, 12, 8", "false, 3, 4, false, false, 12, 8", "false, 1, 4, false, true, 11, 8",
    "false, 1, 300, false, false, 14, 8",
  })
  @Tag("host-device")
  void stepsHaveTheExpectedNumberOfLaunches(
      boolean smallProducts, int replicas, int rows, boolean clips, boolean drops, int kernels, int gemms) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 5, 7, 6, 3);
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    if (clips) {
      training = training.withClipNorm(1);
    }
    if (drops) {
      training = training.withDropout(new Dropout(0.3, SEED));
    }
    assertLaunches(network, training, smallProducts, replicas, rows, kernels, gemms);
  }

  /** Small products, too, are left to cuBLAS. */
  @ParameterizedTest
  @CsvSource({
    "NONE, true, 4, 11", "BATCH, false, 4, 15", "BATCH, true, 4, 15", "LAYER, false, 4, 17", "NONE, true, 300, 14", "BATCH, true, 300, 24",
    "LAYER, true, 300, 24",
  })
  @Tag("host-device")
  void normalizationsHaveTheExpectedNumberOfLaunches(Normalization normalization, boolean residual, int rows, int kernels) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 5, 7, 7, 3).withNormalization(normalization).withResidual(residual);
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    assertLaunches(network, training, true, 1, rows, kernels, 8);
    assertLaunches(network, training.withDropout(new Dropout(0.3, SEED)), true, 1, rows, kernels, 8);
  }

  private static void assertLaunches(
      NetworkSpec network, TrainingSpec training, boolean smallProducts, int replicas, int rows, int kernels, int gemms) {
    try (CudaBackend backend = smallProducts
        ? CudaUnderTest.open(Execution.EAGER, Order.FORWARD) : CudaUnderTest.openCublas(Execution.EAGER, Order.FORWARD);
        TrainingSession session = backend.open(network, training, replicas)) {
      session.bind(data(network, Loss.CROSS_ENTROPY, 313));
      int[] batch = new int[rows];
      Arrays.setAll(batch, row -> 7 * row % 313);
      long kernelsBefore = HostDevice.count(Counter.KERNELS);
      long gemmsBefore = HostDevice.count(Counter.GEMMS);
      session.run(StepChunk.of(1).learningRate(0.01).batches(new int[][] {batch}).build());
      session.sync();
      assertEquals(kernels, HostDevice.count(Counter.KERNELS) - kernelsBefore, "kernels");
      assertEquals(gemms, HostDevice.count(Counter.GEMMS) - gemmsBefore, "GEMMs");
      if (replicas == 1) {
        assertEquals(kernels + gemms,
            StepPlan.launches(network, training, new SmallProducts(network, training.precision(), smallProducts), rows));
      }
    }
  }

  /** Every second step has a new batch size, and predictions have many sizes; launches for old sizes are released. */
  @Test
  @Tag("host-device")
  void onlySomeBatchSizesKeepTheirLaunches() {
    int rows = 150;
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 1, 2, 1);
    Dataset data = data(network, Loss.MSE, rows);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    int[][] batches = new int[2 * rows][];
    Arrays.setAll(batches, step -> new int[step / 2 + 1]);
    StepChunk chunk = StepChunk.of(batches.length).learningRate(0.01).batches(batches).build();
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = started(backend, network, training, data);
        TrainingSession reference = started(new ReferenceBackend(), network, training, data)) {
      cuda.run(chunk);
      reference.run(chunk);
      cuda.sync();
      assertTrue(HostDevice.alive(Kind.GRAPH_EXEC) <= 64, HostDevice.alive(Kind.GRAPH_EXEC) + " graphs");
      for (int size = rows; size > 0; size--) {
        Dataset few = data(network, Loss.MSE, size);
        double[] expected = new double[size];
        double[] predicted = new double[size];
        cuda.predict(0, few, predicted);
        reference.predict(0, few, expected);
        assertRelativeToLargest("prediction of " + size + " rows", expected, predicted, 1e-12);
      }
      assertTrue(HostDevice.alive(Kind.PINNED_MEMORY) < 140, HostDevice.alive(Kind.PINNED_MEMORY) + " pinned blocks");
    }
  }

  @Test
  void sessionBelongsToItsThread() throws InterruptedException {
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession session = backend.open(NETWORK, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1), 1)) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread other = new Thread(() -> {
        try {
          session.sync();
        } catch (Throwable e) {
          thrown.set(e);
        }
      });
      other.start();
      other.join();
      assertEquals(IllegalStateException.class, thrown.get().getClass());
      session.sync();
    }
  }

  @Test
  void closedBackendIsRefused() {
    CudaBackend backend = CudaUnderTest.open();
    backend.close();
    backend.close();
    assertEquals("this CUDA backend is closed", assertThrows(IllegalStateException.class, () -> backend.open(
        NETWORK, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1), 1)).getMessage());
  }

  /** A GPU allocates in larger units. */
  @Test
  @Tag("host-device")
  void bytesAreTheDeviceMemoryOfTheSession() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open()) {
      long before = freeMemory();
      try (TrainingSession session = backend.open(NETWORK, training, 3)) {
        long opened = before - freeMemory();
        assertTrue(opened > 0);
        assertEquals(opened, ((MemoryFootprint) session).bytes());
        session.bind(data(NETWORK, Loss.MSE, 29));
        session.run(StepChunk.of(1).learningRate(0.1).build());
        session.evaluate(data(NETWORK, Loss.MSE, 13));
        assertTrue(before - freeMemory() > opened);
        assertEquals(before - freeMemory(), ((MemoryFootprint) session).bytes());
      }
      assertEquals(before, freeMemory());
    }
  }

  private static long freeMemory() {
    long[] free = new long[1];
    cuMemGetInfo(free, new long[1]);
    return free[0];
  }
}
