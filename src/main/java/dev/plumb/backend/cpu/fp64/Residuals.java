package dev.plumb.backend.cpu.fp64;

/** The additions of residual connections. */
final class Residuals {
  private Residuals() {}

  /** Computes sum = x + y, element by element; the sum may be x itself. */
  static void add(double[] x, double[] y, double[] sum, int from, int to) {
    for (int i = from; i < to; i++) {
      sum[i] = x[i] + y[i];
    }
  }

  /**
   * Computes rows from..to - 1 of A += Xᵀ.
   *
   * @param x contains X [samples x units] from index xOffset on
   * @param a A [units x samples]
   */
  static void addTransposed(double[] x, int xOffset, int units, int samples, int from, int to, double[] a) {
    for (int i = 0; i < samples; i++) {
      int row = xOffset + i * units;
      for (int unit = from; unit < to; unit++) {
        a[unit * samples + i] += x[row + unit];
      }
    }
  }
}
