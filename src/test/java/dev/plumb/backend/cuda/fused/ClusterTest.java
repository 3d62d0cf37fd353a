package dev.plumb.backend.cuda.fused;

import static dev.plumb.backend.cuda.TrainingResult.SEED;
import static dev.plumb.backend.cuda.TrainingResult.trained;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.TrainingResult;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A cluster of blocks trains a narrow network to the same bits as one block. */
@Tag("cuda")
class ClusterTest {
  private static final Activation[] ACTIVATIONS =
      {Activation.LINEAR, Activation.RELU, Activation.LEAKY_RELU, Activation.SIGMOID, Activation.TANH};
  private static final OptimizerSpec[] OPTIMIZERS = {
    OptimizerSpec.Sgd.DEFAULT, new OptimizerSpec.Sgd(0.9, true, 0.01), OptimizerSpec.Adam.DEFAULT, OptimizerSpec.Adam.DEFAULT_W,
    OptimizerSpec.RmsProp.DEFAULT,
  };
  private static final NetworkSpec DEEPEST = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final NetworkSpec WIDE = NetworkSpec.of(Activation.SIGMOID, 7, 5, 8, 4);
  private static final TrainingSpec SGD =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
  private static final TrainingSpec ADAM =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(Precision.FP32).withClipNorm(0.1);
  /** All rows, mini-batches of several lengths, and steps that are not recorded. */
  private static final StepChunk MIXED = StepChunk.of(6).learningRate(0.05)
      .batches(new int[][] {null, {3}, range(4, 40), range(0, 39), null, {1, 4, 9}}).record(0).record(2).record(5).build();

  private static int[] range(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  private static Dataset data(int rows, NetworkSpec network, Loss loss) {
    return RandomData.draw(rows, network, loss, new NumpyRandom(SEED));
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void everyActivationLossAndOptimizerHasTheBitsOfOneBlock(Loss loss) {
    for (int i = 0; i < ACTIVATIONS.length; i++) {
      for (int k = 0; k < 2; k++) {
        NetworkSpec network = new NetworkSpec((k == 0 ? DEEPEST : WIDE).widths(), ACTIVATIONS[i]);
        TrainingSpec training = TrainingSpec.of(loss, OPTIMIZERS[(i + k + loss.ordinal()) % OPTIMIZERS.length], 0.01, 1)
            .withPrecision(Precision.FP32);
        training = (i + k) % 2 == 0 ? training : training.withClipNorm(0.1);
        assertSameAsOneBlock(network, training, data(270, network, loss), MIXED, 1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 32, 33, 255, 257, 400})
  void everyBatchHasTheBitsOfOneBlock(int rows) {
    StepChunk chunk = StepChunk.of(3).learningRate(0.05).recordAll().build();
    assertSameAsOneBlock(DEEPEST, SGD, data(rows, DEEPEST, Loss.MSE), chunk, 1);
    assertSameAsOneBlock(WIDE, ADAM, data(rows, WIDE, Loss.MSE), chunk, 3);
  }

  /** More than 256 threads of each block: several tiles, for one block too. */
  @Test
  void longBatchesHaveTheBitsOfOneBlock() {
    StepChunk chunk = StepChunk.of(2).learningRate(0.05).recordAll().build();
    assertSameAsOneBlock(DEEPEST, SGD, data(5000, DEEPEST, Loss.MSE), chunk, 1);
  }

  /** A tile is as long as the usual batch; a longer one, here of all rows, is cut. */
  @ParameterizedTest
  @ValueSource(ints = {1, 33, 300})
  void batchesLongerThanPlannedHaveTheBitsOfOneBlock(int usual) {
    assertSameAsOneBlock(DEEPEST, ADAM.withBatchSize(usual), data(600, DEEPEST, Loss.MSE), MIXED, 1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, Double.NaN})
  void valuesThatAreNotFiniteSpreadAsInOneBlock(double value) {
    Dataset data = data(290, WIDE, Loss.MSE);
    TrainingResult[] results = new TrainingResult[2];
    for (Clusters clusters : new Clusters[] {Clusters.OFF, Clusters.WHERE_POSSIBLE}) {
      try (CudaBackend backend = CudaUnderTest.openFusedRoundingAlike(Order.FORWARD, clusters);
          TrainingSession session = backend.open(WIDE, SGD, 2)) {
        double[] parameters = Initializer.PYTORCH.draw(WIDE, new NumpyRandom(SEED));
        session.write(Slot.PARAMETERS, 1, parameters);
        parameters[4] = value;
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
        session.run(MIXED);
        results[clusters == Clusters.OFF ? 0 : 1] = TrainingResult.of(session, SGD);
      }
    }
    assertEquals(-1, results[0].firstNonFinite()[1], "the other replica");
    assertTrue(results[0].firstNonFinite()[0] >= 0, "the first step that is not finite");
    results[0].withoutSignsOfZeroAndNan().assertSame("from " + value, results[1].withoutSignsOfZeroAndNan());
  }

  /** Also where products and sums are contracted in both kernels, as ptxas does it. */
  @ParameterizedTest
  @CsvSource({"FORWARD, true", "FORWARD, false", "REVERSE, true", "REVERSE, false", "RANDOM, true", "RANDOM, false"})
  @Tag("host-device")
  void everyOrderOfThreadsHasTheSameBits(Order order, boolean contracted) {
    Dataset data = data(300, DEEPEST, Loss.MSE);
    try (CudaBackend one = CudaUnderTest.openFusedRoundingAlike(Order.FORWARD)) {
      HostDevice.arithmetic(contracted, 0);
      TrainingResult expected = trained(one, DEEPEST, ADAM, data, MIXED, 3, 0);
      try (CudaBackend cluster = CudaUnderTest.openFusedRoundingAlike(order, Clusters.WHERE_POSSIBLE)) {
        HostDevice.arithmetic(contracted, 0);
        expected.assertSame(order.toString(), trained(cluster, DEEPEST, ADAM, data, MIXED, 3, 0));
      }
    }
  }

  /** Blocks that have less shared memory take fewer rows at a time. */
  @ParameterizedTest
  @CsvSource({"200000, 1", "100000, 2", "60000, 3", "45000, 6"})
  @Tag("host-device")
  void lengthOfTilesDoesNotShow(int bytes, int tiles) {
    Dataset data = data(1500, DEEPEST, Loss.MSE);
    DeviceLimits limits = new DeviceLimits(bytes, 228 << 10, 1 << 10, 4);
    assertEquals(tiles, ClusterPlanTest.tiles(ClusterPlan.of(DEEPEST, SGD, 1, 1500, 1500, limits).orElseThrow(), 1500));
    StepChunk chunk = StepChunk.of(2).learningRate(0.05).recordAll().build();
    TrainingResult expected;
    try (CudaBackend one = CudaUnderTest.openFusedRoundingAlike(Order.FORWARD)) {
      expected = trained(one, DEEPEST, SGD, data, chunk, 1, 0);
    }
    CudaUnderTest.load(Order.FORWARD);
    HostDevice.sharedMemory(bytes);
    CudaOptions options = new CudaOptions(Execution.GRAPH, true, Planner.FUSED, true).withClusters(Clusters.WHERE_POSSIBLE);
    try (CudaBackend cluster = new CudaBackend(0, options)) {
      expected.assertSame(bytes + " bytes", trained(cluster, DEEPEST, SGD, data, chunk, 1, 0));
    }
  }

  @Test
  void replicasHaveBatchesOfTheirOwn() {
    int[][][] batches = {{range(0, 70), range(10, 80), range(30, 100)}, {{7, 8}, {9, 10}, {39, 1}}};
    StepChunk chunk = StepChunk.of(2).learningRate(0.05).replicaBatches(batches).recordAll().build();
    assertSameAsOneBlock(WIDE, ADAM, data(100, WIDE, Loss.MSE), chunk, 3);
  }

  private static void assertSameAsOneBlock(NetworkSpec network, TrainingSpec training, Dataset data, StepChunk chunk, int replicas) {
    TrainingResult[] results = new TrainingResult[2];
    for (Clusters clusters : new Clusters[] {Clusters.OFF, Clusters.WHERE_POSSIBLE}) {
      try (CudaBackend backend = CudaUnderTest.openFusedRoundingAlike(Order.FORWARD, clusters)) {
        results[clusters == Clusters.OFF ? 0 : 1] = trained(backend, network, training, data, chunk, replicas, 0);
      }
    }
    assertTrue(Arrays.stream(results[0].losses()).allMatch(Double::isFinite), "nothing to compare");
    results[0].assertSame(network + ", " + training + ", " + data.rows() + " rows", results[1]);
  }
}
