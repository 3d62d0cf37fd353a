package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Sized;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the CPU backend promises beyond the contract. */
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

  private static long bytes(Method method, Precision precision, int replicas) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
    try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(1, method));
        TrainingSession session = backend.open(NETWORK, training, replicas)) {
      session.bind(RandomData.draw(ROWS, NETWORK, Loss.MSE, new NumpyRandom(1)));
      session.run(StepChunk.of(1).learningRate(0.1).build());
      return ((Sized) session).bytes();
    }
  }
}
