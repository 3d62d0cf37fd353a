package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests of the CPU backend beyond the contract. */
class CpuSessionTest {
  private static final int ROWS = 29;
  private static final int UNITS = 64;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.RELU, 3, UNITS, 2);

  /**
   * Adam keeps two moments beside parameters and gradients, and a layer its outputs and deltas for every row; products with the
   * Vector API keep their right matrices a second time, in panels of whole vectors.
   */
  @ParameterizedTest
  @CsvSource({"ROWS, fp64", "ROWS, fp32", "PRODUCTS, fp64", "PRODUCTS, fp32"})
  void eachReplicaMakesTheSessionLargerByWhatItKeeps(Method method, String precision) {
    long[] bytes = new long[4];
    for (int replicas = 1; replicas < bytes.length; replicas++) {
      bytes[replicas] = bytes(method, Precision.of(precision), replicas);
    }
    long numbers = 4L * ParameterLayout.of(NETWORK).size() + 2L * (UNITS + 2) * ROWS;
    long least = numbers * (precision.equals("fp64") ? Double.BYTES : Float.BYTES);
    long ofReplica = bytes[2] - bytes[1];
    boolean panels = method == Method.PRODUCTS && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    int most = panels ? 3 : 2;
    assertTrue(ofReplica >= least && ofReplica < most * least, ofReplica + " bytes for a replica that keeps " + least);
    assertEquals(ofReplica, bytes[3] - bytes[2]);
  }

  /**
   * Whoever asks for gradients gets them, and to whoever does not, parameters are the same to the bit; also where the norm is
   * bounded, which a norm of 1e30 does not change, so that gradients wait until all are there.
   */
  @ParameterizedTest
  @CsvSource({"fp64, 0", "fp32, 0", "fp64, 0.01", "fp32, 0.01"})
  void unrequestedGradientsStillUpdateParameters(String precision, double weightDecay) {
    TrainingSpec plain = TrainingSpec.of(Loss.MSE, new OptimizerSpec.Sgd(0, false, weightDecay), 0.01, 1)
        .withPrecision(Precision.of(precision));
    double[][] expected = trained(plain.withClipNorm(1e30), true);
    assertArrayEquals(expected, trained(plain, true));
    assertArrayEquals(expected, trained(plain, false));
  }

  /** Parameters, then gradients, after five steps of some rows each. */
  private static double[][] trained(TrainingSpec training, boolean recordsAll) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 37, UNITS + 9, UNITS, 13);
    int[][] batches = {{0, 1, 2}, {5, 3, 28, 9}, {11}, {20, 21, 22, 23}, {7, 4, 4, 2, 1}};
    StepChunk.Builder chunk = StepChunk.of(batches.length).learningRate(0.05).batches(batches);
    try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(2, Method.PRODUCTS));
        TrainingSession session = backend.open(network, training, 1)) {
      session.bind(RandomData.draw(ROWS, network, Loss.MSE, new NumpyRandom(3)));
      session.write(Slot.PARAMETERS, 0, Initializer.PYTORCH.draw(network, new NumpyRandom(4)));
      session.run((recordsAll ? chunk.recordAll() : chunk).build());
      assertArrayEquals(new long[] {-1}, session.sync().firstNonFinite());
      double[][] result = new double[2][session.layout().size()];
      session.read(Slot.PARAMETERS, 0, result[0]);
      session.read(Slot.GRADIENTS, 0, result[1]);
      return result;
    }
  }

  /** Of one weight alone, with a finite loss: the mean absolute error of a finite output. */
  @ParameterizedTest
  @CsvSource({"fp64, 0", "fp64, 17", "fp64, 36", "fp32, 0", "fp32, 17", "fp32, 36"})
  void infiniteGradientIsDetectedAtAnyPosition(String precision, int input) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 37, UNITS, 1);
    double large = precision.equals("fp64") ? 1e308 : 3e38;
    double[] x = new double[ROWS * 37];
    for (int row = 0; row < ROWS; row++) {
      x[row * 37 + input] = large;
    }
    TrainingSpec training = TrainingSpec.of(Loss.MAE, OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(Precision.of(precision));
    try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(1, Method.PRODUCTS));
        TrainingSession session = backend.open(network, training, 1)) {
      session.bind(Dataset.ofTargets(37, 1, x, new double[ROWS]));
      double[] parameters = new double[session.layout().size()];
      ParameterLayout.Slice bias = session.layout().bias(0);
      ParameterLayout.Slice above = session.layout().weight(1);
      Arrays.fill(parameters, bias.offset(), bias.offset() + bias.size(), 1);
      Arrays.fill(parameters, above.offset(), above.offset() + above.size(), 1);
      session.write(Slot.PARAMETERS, 0, parameters);
      session.run(StepChunk.of(1).learningRate(0).build());
      assertArrayEquals(new long[] {-1}, session.sync().firstNonFinite());
      parameters[above.offset() + UNITS - 1] = 10;
      session.write(Slot.PARAMETERS, 0, parameters);
      session.run(StepChunk.of(2).learningRate(0).build());
      assertArrayEquals(new long[] {1}, session.sync().firstNonFinite());
    }
  }

  private static long bytes(Method method, Precision precision, int replicas) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
    try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(1, method));
        TrainingSession session = backend.open(NETWORK, training, replicas)) {
      session.bind(RandomData.draw(ROWS, NETWORK, Loss.MSE, new NumpyRandom(1)));
      session.run(StepChunk.of(1).learningRate(0.1).build());
      return ((MemoryFootprint) session).bytes();
    }
  }
}
