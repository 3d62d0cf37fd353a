package dev.plumb.backend.cpu.engine;

/** Sums of squares in double, whatever the precision of what is squared. */
public final class SquareSum {
  private SquareSum() {}

  /** Σ x² over from..to - 1. */
  public static double of(double[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += x[i] * x[i];
    }
    return sum;
  }

  /** Likewise; a square is exact in double. */
  public static double of(float[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }
}
