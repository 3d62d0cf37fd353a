package dev.plumb.backend.cuda;

import static dev.plumb.golden.Close.assertSameBits;

import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One block that loops over elements and replicas computes what many blocks compute, bit for bit. The sizes are large enough for
 * the loops that nvcc unrolls.
 */
@Tag("cuda")
class OneBlockTest {
  private static final long SEED = 20240607;
  private static final int ROWS = 300;
  private static final int REPLICAS = 2;
  /** Rows of a batch that has more than one segment. */
  private static final int SEVERAL_SEGMENTS = 260;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 5, 1100, 3);
  /** Its rows are gathered in two pieces. */
  private static final NetworkSpec MANY_INPUTS = NetworkSpec.of(Activation.TANH, 133, 40, 3);

  private record Result(StepMetrics metrics, double[][] parameters) {}

  static Stream<OptimizerSpec> optimizers() {
    return Stream.of(new OptimizerSpec.Sgd(0.9, true, 0.01), OptimizerSpec.Adam.DEFAULT,
        OptimizerSpec.Adam.DEFAULT_W, OptimizerSpec.RmsProp.DEFAULT);
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void oneBlockComputesWhatManyCompute(OptimizerSpec optimizer) {
    assertOneIsMany(NETWORK, training(Loss.CROSS_ENTROPY, optimizer, Precision.FP32), SEVERAL_SEGMENTS, 17);
    assertOneIsMany(NETWORK, training(Loss.MSE, optimizer, Precision.FP64).withDropout(new Dropout(0.3, SEED)), SEVERAL_SEGMENTS, 17);
  }

  /** Without clipping an update goes through other loops of the PTX. */
  @ParameterizedTest
  @MethodSource("optimizers")
  void oneBlockUpdatesWithoutClippingAsManyDo(OptimizerSpec optimizer) {
    for (Precision precision : new Precision[] {Precision.FP32, Precision.FP64}) {
      assertOneIsMany(MANY_INPUTS, TrainingSpec.of(Loss.MSE, optimizer, 0.01, 1).withPrecision(precision), 9, 1);
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void oneBlockWeightsRowsAsManyDo(Loss loss) {
    // More outputs than a block of the loss takes.
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 9, 5);
    Dataset data = RandomData.draw(ROWS, network, loss, new NumpyRandom(SEED));
    Dataset weighted = data.withWeights(RandomWeights.draw(ROWS, new NumpyRandom(SEED)));
    for (Precision precision : new Precision[] {Precision.FP32, Precision.FP64}) {
      assertOneIsMany(network, training(loss, OptimizerSpec.Adam.DEFAULT, precision), weighted, ROWS, SEVERAL_SEGMENTS);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32"})
  void oneBlockPredictsWhatManyPredict(Precision precision) {
    NetworkSpec network = NetworkSpec.of(Activation.SIGMOID, 3, 33, 5);
    TrainingSpec training = training(Loss.MSE, OptimizerSpec.Adam.DEFAULT, precision);
    Dataset data = RandomData.draw(ROWS, network, Loss.MSE, new NumpyRandom(SEED));
    double[][] many = predicted(CudaUnderTest.open(Planner.FUSED), network, training, data);
    double[][] one = predicted(CudaUnderTest.openWithOneBlock(Order.FORWARD, Planner.FUSED), network, training, data);
    for (int i = 0; i <= REPLICAS; i++) {
      assertSameBits(i == REPLICAS ? "losses" : "outputs of replica " + i, many[i], one[i]);
    }
  }

  /** Returns the outputs of each replica, then the losses of all. Closes the backend. */
  private static double[][] predicted(CudaBackend opened, NetworkSpec network, TrainingSpec training, Dataset data) {
    NumpyRandom stream = new NumpyRandom(SEED);
    try (CudaBackend backend = opened; TrainingSession session = backend.open(network, training, REPLICAS)) {
      double[][] results = new double[REPLICAS + 1][ROWS * network.outputs()];
      for (int replica = 0; replica < REPLICAS; replica++) {
        session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, stream));
      }
      session.bind(data);
      for (int replica = 0; replica < REPLICAS; replica++) {
        session.predict(replica, data, results[replica]);
      }
      results[REPLICAS] = session.evaluate(data).loss();
      return results;
    }
  }

  private static TrainingSpec training(Loss loss, OptimizerSpec optimizer, Precision precision) {
    return TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(precision).withClipNorm(0.5);
  }

  private static void assertOneIsMany(NetworkSpec network, TrainingSpec training, int... sizes) {
    assertOneIsMany(network, training, RandomData.draw(ROWS, network, training.loss(), new NumpyRandom(SEED)), sizes);
  }

  private static void assertOneIsMany(NetworkSpec network, TrainingSpec training, Dataset data, int... sizes) {
    Result many = trained(CudaUnderTest.openCublas(Execution.GRAPH, Order.FORWARD), network, training, data, sizes);
    Result one = trained(CudaUnderTest.openWithOneBlock(Order.FORWARD, Planner.LAYERED), network, training, data, sizes);
    for (int step = 0; step < many.metrics.steps().length; step++) {
      assertSameBits("loss of step " + step, many.metrics.loss()[step], one.metrics.loss()[step]);
      for (int replica = 0; replica < REPLICAS; replica++) {
        assertSameBits("norms of step " + step + ", replica " + replica, many.metrics.gradientNorms()[step][replica],
            one.metrics.gradientNorms()[step][replica]);
      }
    }
    for (int replica = 0; replica < REPLICAS; replica++) {
      assertSameBits("parameters of replica " + replica, many.parameters[replica], one.parameters[replica]);
    }
  }

  /**
   * Closes the backend.
   *
   * @param sizes of the batch of each step
   */
  private static Result trained(CudaBackend opened, NetworkSpec network, TrainingSpec training, Dataset data, int[] sizes) {
    NumpyRandom stream = new NumpyRandom(SEED);
    int[][] batches = Arrays.stream(sizes).mapToObj(size -> Arrays.copyOf(stream.permutation(ROWS), size)).toArray(int[][]::new);
    try (CudaBackend backend = opened; TrainingSession session = backend.open(network, training, REPLICAS)) {
      for (int replica = 0; replica < REPLICAS; replica++) {
        session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, stream));
      }
      session.bind(data);
      session.run(StepChunk.of(batches.length).learningRate(0.01).batches(batches).recordAll().build());
      StepMetrics metrics = session.sync();
      double[][] parameters = new double[REPLICAS][session.layout().size()];
      for (int replica = 0; replica < REPLICAS; replica++) {
        session.read(Slot.PARAMETERS, replica, parameters[replica]);
      }
      return new Result(metrics, parameters);
    }
  }
}
