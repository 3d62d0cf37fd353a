package dev.plumb.backend.cpu.fp64;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.model.Activation;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Run twice by Maven: with and without the Vector API. */
class LayerKernelTest {
  private static final long SEED = 20261127;
  private static final int[] SIZES = {1, 2, 3, 4, 5, 6, 7, 8, 13};

  private final NumpyRandom random = new NumpyRandom(SEED);
  private final Activations functions = new Activations();

  @ParameterizedTest
  @EnumSource(Activation.class)
  void forwardPassHasTheBitsOfScalarLoops(Activation f) {
    LayerKernel kernel = VectorizationProvider.get().layer(f);
    for (int units : SIZES) {
      for (int inputs : SIZES) {
        for (int samples : new int[] {RowPadding.padded(1), RowPadding.padded(33), RowPadding.padded(550)}) {
          double[][] in = rows(inputs, samples);
          double[] parameters = rows(1, 5 + units * inputs + units)[0];
          double[][] expectedZ = new double[units][samples];
          double[][] expected = new double[units][samples];
          for (int unit = 0; unit < units; unit++) {
            for (int n = 0; n < samples; n++) {
              double sum = parameters[5 + units * inputs + unit];
              for (int i = 0; i < inputs; i++) {
                sum = Math.fma(parameters[5 + unit * inputs + i], in[i][n], sum);
              }
              expectedZ[unit][n] = sum;
            }
            functions.apply(f, expectedZ[unit], 0, expected[unit], 0, samples);
          }
          String name = units + " x " + inputs + ", " + samples + " samples, seed " + SEED;
          double[][] z = new double[units][samples];
          double[][] a = f == Activation.LINEAR ? z : new double[units][samples];
          kernel.forward(in, inputs, parameters, 5, 5 + units * inputs, z, a, samples, functions);
          assertSame(name, expectedZ, z);
          assertSame(name, expected, a);
          if (Activations.derivativeFromOutput(f)) {
            kernel.forward(in, inputs, parameters, 5, 5 + units * inputs, z, z, samples, functions);
            assertSame(name + ", in place", expected, z);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void backwardPassHasTheBitsOfScalarLoops(Activation f) {
    LayerKernel kernel = VectorizationProvider.get().layer(f);
    for (int units : SIZES) {
      for (int outputs : SIZES) {
        int samples = RowPadding.padded(units == 5 ? 550 : 33);
        double[][] above = rows(outputs, samples);
        double[] parameters = rows(1, 5 + units * outputs)[0];
        double[][] z = rows(units, samples);
        double[][] a = new double[units][samples];
        double[][] masks = outputs % 2 == 0 ? rows(units, samples) : null;
        double[][] expected = new double[units][samples];
        for (int unit = 0; unit < units; unit++) {
          z[unit][unit] = 0;
          functions.apply(f, z[unit], 0, a[unit], 0, samples);
          for (int n = 0; n < samples; n++) {
            double sum = 0;
            for (int o = 0; o < outputs; o++) {
              sum = Math.fma(parameters[5 + o * units + unit], above[o][n], sum);
            }
            expected[unit][n] = masks == null ? sum : sum * masks[unit][n];
          }
          functions.timesDerivative(f, z[unit], 0, a[unit], 0, expected[unit], 0, samples);
        }
        double[][] delta = new double[units][samples];
        kernel.backward(above, outputs, parameters, 5, masks, z, a, delta, samples, functions);
        assertSame(units + " x " + outputs + ", " + samples + " samples, seed " + SEED, expected, delta);
      }
    }
  }

  /** Compares all bits except the sign of zero. */
  private static void assertSame(String name, double[][] expected, double[][] actual) {
    for (int unit = 0; unit < expected.length; unit++) {
      for (int n = 0; n < expected[unit].length; n++) {
        assertEquals(expected[unit][n] + 0.0, actual[unit][n] + 0.0, name + ": unit " + unit + ", sample " + n);
      }
    }
  }

  private double[][] rows(int units, int samples) {
    double[][] rows = new double[units][samples];
    for (double[] row : rows) {
      Arrays.setAll(row, n -> random.uniform(-3, 3));
    }
    return rows;
  }
}
