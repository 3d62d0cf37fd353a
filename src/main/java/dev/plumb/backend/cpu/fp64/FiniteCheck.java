package dev.plumb.backend.cpu.fp64;

import java.util.Arrays;

/**
 * Whether numbers are all finite: x·0 is 0 but for those that are not, and a sum with one of those stays NaN. Sums of a piece's
 * width become vectors; one sum, or a piece read from anywhere but its beginning, would not. Serves one thread.
 */
final class FiniteCheck {
  private static final int WIDTH = 512;

  private final double[] piece = new double[WIDTH];
  private final double[] sums = new double[WIDTH];

  boolean allFinite(double[] x, int from, int to) {
    Arrays.fill(sums, 0);
    for (int first = from; first < to; first += WIDTH) {
      int count = Math.min(WIDTH, to - first);
      System.arraycopy(x, first, piece, 0, count);
      addZeros(sums, piece, count);
    }
    return RowProducts.sum(sums, 0, WIDTH) == 0;
  }

  private static void addZeros(double[] sums, double[] x, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma(x[i], 0, sums[i]);
    }
  }
}
