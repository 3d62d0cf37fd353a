package dev.plumb.backend.cpu.engine;

/** Sums of squares, accumulated in double for both precisions. */
public final class SquareSum {
  private SquareSum() {}

  /** Returns Σ x² over indices from..to - 1. */
  public static double of(double[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += x[i] * x[i];
    }
    return sum;
  }

  /** Returns Σ x² over indices from..to - 1. The square of a float is exact in double. */
  public static double of(float[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }
}
