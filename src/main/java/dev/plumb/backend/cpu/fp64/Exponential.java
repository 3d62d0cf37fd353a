package dev.plumb.backend.cpu.fp64;

/**
 * e^x as 2^k·(1 + p) with a whole number k and p between -0.3 and 0.42, in three kinds of loops: one that splits x into k and
 * p, {@link #powersOfTwo}, which makes 2^k of k, and one that joins the two, here or in what needs them apart.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Exponential {
  static final double LOWEST = Approximations.LOWEST;
  static final double ALONE = Approximations.ALONE;
  private static final double LOG2_E = Approximations.LOG2_E;
  private static final double LN2 = Approximations.LN2;
  private static final double LN2_REST = Approximations.LN2_REST;
  private static final double ROUNDING = Approximations.ROUNDING;
  private static final double UNSCALE = Approximations.UNSCALE;

  private Exponential() {}

  /** Splits x, or the nearer of low and high where x is not between them. */
  static void split(double[] x, int from, double low, double high, double[] k, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(Math.min(x[from + i], high), low);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      p[i] = Approximations.expm1(rest(v, rounded - ROUNDING));
    }
  }

  /** Splits -|x|. */
  static void splitNegative(double[] x, int from, double[] k, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(-Math.abs(x[from + i]), LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      p[i] = Approximations.expm1(rest(v, rounded - ROUNDING));
    }
  }

  /** Splits 2x, or the nearer end of what e^2x - 1 and e^2x + 1 differ in. */
  static void splitTwice(double[] x, int from, double[] k, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(Math.min(x[from + i] * 2, ALONE), -ALONE);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      p[i] = Approximations.expm1(rest(v, rounded - ROUNDING));
    }
  }

  /** e^x = 2^k·2^k·p, for the whole range of x: 2^2k alone may be too large or too small for a number. */
  static void halve(double[] x, int from, double[] k, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(Math.min(x[from + i], Approximations.HIGHEST), LOWEST);
      double n = Math.fma(v, LOG2_E, ROUNDING) - ROUNDING;
      double half = Math.fma(n, (double) 0.5, ROUNDING);
      double odd = Math.fma(half - ROUNDING, -2, n);
      k[i] = half;
      // 2^odd for -1, 0 and 1.
      double two = Math.fma(odd, Math.fma(odd, (double) 0.25, (double) 0.75), 1);
      p[i] = Math.fma(Approximations.expm1(rest(v, n)), two, two);
    }
  }

  /** v - n·ln 2. */
  static double rest(double v, double n) {
    return Math.fma(n, -LN2_REST, Math.fma(n, -LN2, v));
  }

  /** From k to 2^k; its own loop, as it does not become vectors. Still to be multiplied by UNSCALE. */
  static void powersOfTwo(double[] k, int count) {
    Approximations.powersOfTwo(k, count);
  }

  static void joinHalves(double[] powers, double[] p, double[] y, int from, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      y[from + i] = p[i] * power * power;
    }
  }

  /** y *= e^x. */
  static void timesJoined(double[] powers, double[] p, double[] y, int from, int count) {
    for (int i = 0; i < count; i++) {
      y[from + i] *= Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
    }
  }
}
