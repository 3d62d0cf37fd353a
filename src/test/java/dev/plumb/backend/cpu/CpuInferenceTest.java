package dev.plumb.backend.cpu;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Backend;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CpuInferenceTest {
  private static final long SEED = 20261127;

  /** Networks that training computes by rows get its very bits; their sums are the same chains. */
  @ParameterizedTest
  @EnumSource
  void outputsAreThoseOfASessionByRows(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 5, 13, 1, 7, 3);
    for (Precision precision : new Precision[] {Precision.FP64, Precision.FP32}) {
      double[] parameters = parameters(network, precision);
      for (int rows : new int[] {1, 3, 7, 8, 100, 600}) {
        Dataset data = RandomData.draw(rows, network, Loss.MSE, new NumpyRandom(SEED + rows));
        double[] expected = outputs(new CpuBackend(CpuOptions.standard().withMethod(CpuOptions.Method.ROWS), note -> {}), network,
            precision, parameters, data);
        assertSameBits(activation + " " + precision + " " + rows, expected, outputs(network, precision, parameters, data));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void wideNetworksAgreeWithTheReference(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 33, 127, 65, 3);
    for (int rows : new int[] {1, 65, 257}) {
      Dataset data = RandomData.draw(rows, network, Loss.MSE, new NumpyRandom(SEED + rows));
      double[] parameters = parameters(network, Precision.FP32);
      double[] expected = outputs(new ReferenceBackend(), network, Precision.FP64, parameters, data);
      // As for the forward taps of all backends.
      assertRelativeToLargest(activation + " fp64", expected, outputs(network, Precision.FP64, parameters, data), 1e-13);
      assertRelativeToLargest(activation + " fp32", expected, outputs(network, Precision.FP32, parameters, data), 2e-6);
    }
  }

  /** Enough work for the common pool to help. */
  @Test
  void manyRowsHaveTheBitsOfEachAlone() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 40, 200, 90, 2);
    double[] parameters = parameters(network, Precision.FP32);
    Dataset data = RandomData.draw(2000, network, Loss.MSE, new NumpyRandom(SEED));
    double[] all = outputs(network, Precision.FP32, parameters, data);
    try (InferenceSession session = CpuInference.open(network, Precision.FP32, parameters)) {
      for (int row = 0; row < data.rows(); row += 13) {
        double[] one = new double[2];
        session.outputs(data.featureRows(row, 1), 1, one);
        assertSameBits("row " + row, Arrays.copyOfRange(all, 2 * row, 2 * row + 2), one);
      }
    }
  }

  @Test
  void parametersAreCopied() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 3, 1);
    for (Precision precision : new Precision[] {Precision.FP64, Precision.FP32}) {
      double[] parameters = parameters(network, precision);
      try (InferenceSession session = CpuInference.open(network, precision, parameters)) {
        double[] before = new double[20];
        double[] x = new double[40];
        Arrays.setAll(x, i -> i);
        session.outputs(x, 20, before);
        Arrays.fill(parameters, 0);
        double[] after = new double[20];
        session.outputs(x, 20, after);
        assertSameBits(precision.key(), before, after);
      }
    }
  }

  @Test
  void overflowGivesTheSameInRowsAndTables() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 2, 3, 1);
    double[] parameters = parameters(network, Precision.FP32);
    Arrays.fill(parameters, 2);
    try (InferenceSession session = CpuInference.open(network, Precision.FP32, parameters)) {
      double[] x = new double[18];
      Arrays.fill(x, 3e38);
      double[] all = new double[9];
      session.outputs(x, 9, all);
      double[] one = new double[1];
      session.outputs(new double[] {3e38, 3e38}, 1, one);
      assertFalse(Double.isFinite(one[0]));
      for (double output : all) {
        assertEquals(one[0], output);
      }
    }
  }

  @Test
  void wrongLengthsAndUseAfterCloseAreRefused() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 3, 1);
    InferenceSession session = CpuInference.open(network, Precision.FP64, parameters(network, Precision.FP64));
    assertThrows(IllegalArgumentException.class, () -> session.outputs(new double[3], 2, new double[2]));
    assertThrows(IllegalArgumentException.class, () -> session.outputs(new double[4], 2, new double[1]));
    session.close();
    session.close();
    assertEquals("this predictor is closed",
        assertThrows(IllegalStateException.class, () -> session.outputs(new double[4], 2, new double[2])).getMessage());
  }

  private static double[] parameters(NetworkSpec network, Precision precision) {
    double[] parameters = Initializer.PYTORCH.draw(network, new NumpyRandom(SEED));
    if (precision != Precision.FP64) {
      Arrays.setAll(parameters, i -> (float) parameters[i]);
    }
    return parameters;
  }

  private static double[] outputs(NetworkSpec network, Precision precision, double[] parameters, Dataset data) {
    double[] out = new double[data.rows() * network.outputs()];
    try (InferenceSession session = CpuInference.open(network, precision, parameters)) {
      session.outputs(data.featureRows(0, data.rows()), data.rows(), out);
    }
    return out;
  }

  private static double[] outputs(Backend backend, NetworkSpec network, Precision precision, double[] parameters, Dataset data) {
    double[] out = new double[data.rows() * network.outputs()];
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(precision);
    try (backend; TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      session.predict(0, data, out);
    }
    return out;
  }
}
