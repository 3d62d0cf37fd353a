package dev.plumb.backend.cpu.fp64;

/**
 * e^x as 2^k·(1 + p) with a whole number k and p between -0.3 and 0.42, in several loops: one reduces x to k and the rest r, one
 * makes p of r, one 2^k of k, and one joins the two, here or in what needs them apart. Powers of two stand as 2^k / UNSCALE, or
 * as 2^k·UNSCALE, so that all of them are normal numbers.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Exponential {
  static final double LOWEST = Approximations.LOWEST;
  static final double ALONE = Approximations.ALONE;
  private static final double UNSCALE = Approximations.UNSCALE;
  private static final double LOG2_E = Approximations.LOG2_E;
  private static final double LN2 = Approximations.LN2;
  private static final double LN2_REST = Approximations.LN2_REST;
  private static final double ROUNDING = Approximations.ROUNDING;
  private static final double ROUNDING_UNSCALED = Approximations.ROUNDING_UNSCALED;

  private Exponential() {}

  /** Reduces x, or the nearer of low and high where x is not between them. */
  static void reduce(double[] x, double low, double high, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(Math.min(x[i], high), low);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = rest(v, rounded - ROUNDING);
    }
  }

  /** Reduces 2x, up to where e^2x - 1 and e^2x + 1 differ in nothing but their signs, or in nothing. */
  static void reduceTwice(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = 2 * Math.max(Math.min(x[i], ALONE), -ALONE);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = rest(v, rounded - ROUNDING);
    }
  }

  /** Reduces -x, to powers of two times UNSCALE: they go up to where 1 / e^-x rounds to 0. */
  static void reduceOpposite(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.min(Math.max(-x[i], -ALONE), -LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING_UNSCALED);
      k[i] = rounded;
      r[i] = rest(v, rounded - ROUNDING_UNSCALED);
    }
  }

  /** Reduces -|x|. */
  static void reduceNegative(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(-Math.abs(x[i]), LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = rest(v, rounded - ROUNDING);
    }
  }

  /** Reduces |x| likewise. */
  static void reduceSize(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.min(Math.abs(x[i]), -LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING_UNSCALED);
      k[i] = rounded;
      r[i] = rest(v, rounded - ROUNDING_UNSCALED);
    }
  }

  /** Reduces -x²/2, with what x² loses by rounding. */
  static void reduceSquare(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.min(Math.abs(x[i]), Approximations.FARTHEST);
      double square = y * y;
      double lost = Math.fma(y, y, -square);
      double v = (double) -0.5 * square;
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = Math.fma(lost, (double) -0.5, rest(v, rounded - ROUNDING));
    }
  }

  /** From what x was reduced to, k and r, to the power of two and p. */
  static void raise(double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      r[i] = Approximations.expm1(r[i]);
    }
    Approximations.powersOfTwo(k, count);
  }

  /** powers = e^x. */
  static void join(double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      powers[i] = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
    }
  }

  /** y *= e^x. */
  static void timesJoined(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] *= Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
    }
  }

  /**
   * Splits k in k/2, rounded, and 2^(k - 2·(k/2)), which is 1/2, 1 or 2: over the whole range of x, 2^k alone may be too large
   * for a number, or too small.
   */
  static void halve(double[] k, double[] odd, int count) {
    for (int i = 0; i < count; i++) {
      double n = k[i] - ROUNDING;
      double half = Math.fma(n, (double) 0.5, ROUNDING);
      k[i] = half;
      double left = Math.fma(half - ROUNDING, -2, n);
      odd[i] = Math.fma(left, Math.fma(left, (double) 0.25, (double) 0.75), 1);
    }
  }

  /** e^x in the place of odd, where k was halved. */
  static void joinHalves(double[] powers, double[] p, double[] odd, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      odd[i] = Math.fma(p[i], odd[i], odd[i]) * power * power;
    }
  }

  private static double rest(double v, double n) {
    return Math.fma(n, -LN2_REST, Math.fma(n, -LN2, v));
  }
}
