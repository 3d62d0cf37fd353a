package dev.plumb.backend.cpu.fp64;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.golden.Close;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Run twice by Maven: as Java starts by itself, and with the Vector API. */
class WeightGradientKernelTest {
  private static final WeightGradientKernel KERNEL = VectorizationProvider.get().weightGradients();
  private static final long SEED = 20261124;

  @Test
  void vectorApiIsUsedWhereJavaWasStartedWithIt() {
    boolean asked = Boolean.getBoolean("plumb.test.vector");
    assertEquals(asked, ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(), "this run is not what it should be");
    assertEquals(asked, KERNEL.getClass().getSimpleName().startsWith("Vector"), KERNEL.getClass().getName());
  }

  @Test
  void sumsAreThoseOfPlainLoopsWhateverTheSizes() {
    NumpyRandom random = new NumpyRandom(SEED);
    int[] sizes = {1, 2, 3, 4, 5, 7, 8, 13};
    for (int outputs : sizes) {
      for (int inputs : sizes) {
        for (int size : new int[] {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65, 129}) {
          int samples = RowPadding.padded(size);
          double[][] d = rows(outputs, samples, random);
          double[][] a = rows(inputs, samples, random);
          int from = RowPadding.padded(size / 5);
          double[] gradients = new double[3 + outputs * inputs + 2];
          Arrays.fill(gradients, 0.25);
          double[] expected = gradients.clone();
          for (int o = 0; o < outputs; o++) {
            for (int i = 0; i < inputs; i++) {
              for (int n = from; n < samples; n++) {
                expected[3 + o * inputs + i] += d[o][n] * a[i][n];
              }
            }
          }
          KERNEL.weightGradients(d, outputs, a, inputs, gradients, 3, from, samples);
          String name = outputs + " x " + inputs + ", samples " + from + " to " + samples + ", seed " + SEED;
          Close.assertRelativeToLargest(name, expected, gradients, 1e-14);

          double[] sums = new double[1 + outputs];
          KERNEL.biasGradients(d, outputs, sums, 1, from, samples);
          double[] expectedSums = new double[1 + outputs];
          for (int o = 0; o < outputs; o++) {
            expectedSums[1 + o] = Arrays.stream(d[o], from, samples).sum();
          }
          Close.assertRelativeToLargest(name, expectedSums, sums, 1e-13);
        }
      }
    }
  }

  /** Compiled code of some versions of Java adds the lanes of a vector in another order. */
  @Test
  void compiledCodeAddsInTheSameOrder() {
    NumpyRandom random = new NumpyRandom(SEED);
    int samples = RowPadding.padded(100);
    double[][] d = rows(5, samples, random);
    double[][] a = rows(5, samples, random);
    double[] first = gradients(d, a, samples);
    for (int call = 0; call < 100_000; call++) {
      assertArrayEquals(first, gradients(d, a, samples));
    }
  }

  private static double[] gradients(double[][] d, double[][] a, int samples) {
    double[] gradients = new double[d.length * a.length + d.length];
    KERNEL.weightGradients(d, d.length, a, a.length, gradients, 0, 0, samples);
    KERNEL.biasGradients(d, d.length, gradients, d.length * a.length, 0, samples);
    return gradients;
  }

  private static double[][] rows(int units, int samples, NumpyRandom random) {
    double[][] rows = new double[units][samples];
    for (double[] row : rows) {
      Arrays.setAll(row, n -> random.uniform(-1, 1));
    }
    return rows;
  }
}
