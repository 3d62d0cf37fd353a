package dev.plumb.backend.cpu.fp64;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Run twice by Maven: as Java starts by itself, and with the Vector API. */
class MomentKernelTest {
  private static final MomentKernel KERNEL = VectorizationProvider.get().moments();
  private static final long SEED = 20261127;

  @Test
  void sumsAreThoseOfPlainLoopsWhateverTheSizes() {
    NumpyRandom random = new NumpyRandom(SEED);
    for (int from : new int[] {0, 1, 5, 16}) {
      for (int count : new int[] {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65, 129, 512}) {
        int to = from + count;
        double[] x = new double[to + 3];
        double[] g = new double[to + 3];
        Arrays.setAll(x, n -> random.uniform(1, 2));
        Arrays.setAll(g, n -> random.uniform(-1, 1));
        String name = "samples " + from + " to " + to + ", seed " + SEED;
        assertEquals(IntStream.range(from, to).mapToDouble(n -> x[n]).sum(), KERNEL.sum(x, from, to), 1e-12, name);
        assertEquals(IntStream.range(from, to).mapToDouble(n -> (x[n] - 1.5) * (x[n] - 1.5)).sum(),
            KERNEL.squares(x, 1.5, from, to), 1e-12, name);
        assertEquals(IntStream.range(from, to).mapToDouble(n -> g[n] * (x[n] - 1.5)).sum(),
            KERNEL.products(g, x, 1.5, from, to), 1e-12, name);
      }
    }
  }

  /** Compiled code of some versions of Java adds the lanes of a vector in another order. */
  @Test
  void compiledCodeAddsInTheSameOrder() {
    NumpyRandom random = new NumpyRandom(SEED);
    int count = 100;
    double[] x = new double[count];
    double[] g = new double[count];
    Arrays.setAll(x, n -> random.uniform(1, 2));
    Arrays.setAll(g, n -> random.uniform(-1, 1));
    List<Double> first = sums(x, g);
    for (int call = 0; call < 100_000; call++) {
      assertEquals(first, sums(x, g));
    }
  }

  private static List<Double> sums(double[] x, double[] g) {
    return List.of(KERNEL.sum(x, 0, x.length), KERNEL.squares(x, 1.5, 0, x.length), KERNEL.products(g, x, 1.5, 0, x.length));
  }
}
