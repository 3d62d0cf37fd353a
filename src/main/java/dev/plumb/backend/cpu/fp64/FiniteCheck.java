package dev.plumb.backend.cpu.fp64;

import java.util.Arrays;

/**
 * A check that all numbers of a range are finite: x·0 is 0 for finite x and NaN for others, and a sum with NaN is NaN. The loop
 * adds to as many sums as a block is long, which C2 vectorizes; it would not vectorize a single sum, or a block at another
 * offset. One instance per thread.
 */
final class FiniteCheck {
  private static final int WIDTH = 512;

  private final double[] block = new double[WIDTH];
  private final double[] sums = new double[WIDTH];

  /** Returns whether x is finite at indices from..to - 1. */
  boolean allFinite(double[] x, int from, int to) {
    Arrays.fill(sums, 0);
    for (int first = from; first < to; first += WIDTH) {
      int count = Math.min(WIDTH, to - first);
      System.arraycopy(x, first, block, 0, count);
      addZeros(sums, block, count);
    }
    return RowProducts.sum(sums, 0, WIDTH) == 0;
  }

  private static void addZeros(double[] sums, double[] x, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma(x[i], 0, sums[i]);
    }
  }
}
