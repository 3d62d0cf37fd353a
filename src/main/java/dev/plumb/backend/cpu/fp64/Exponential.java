package dev.plumb.backend.cpu.fp64;

/**
 * e^x as 2^k·(1 + p) with an integer k and p between -0.3 and 0.42, computed in several loops: argument reduction of x to k and a
 * remainder r, then p from r, then 2^k from k, then their combination, here or in a function that uses the parts. Powers of two
 * are stored as 2^k / UNSCALE or as 2^k·UNSCALE, so that all of them are normal numbers.
 */
@SuppressWarnings("cast") // casts are needed in the generated single-precision source
final class Exponential {
  static final double LOWEST = Approximations.LOWEST;
  static final double SATURATION = Approximations.SATURATION;
  private static final double UNSCALE = Approximations.UNSCALE;
  private static final double LOG2_E = Approximations.LOG2_E;
  private static final double LN2 = Approximations.LN2;
  private static final double LN2_REST = Approximations.LN2_REST;
  private static final double ROUNDING = Approximations.ROUNDING;
  private static final double ROUNDING_UNSCALED = Approximations.ROUNDING_UNSCALED;

  private Exponential() {}

  /** Reduces x, clamped to low..high. */
  static void reduce(double[] x, double low, double high, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(Math.min(x[i], high), low);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = remainder(v, rounded - ROUNDING);
    }
  }

  /** Reduces 2x, clamped to where e^2x - 1 and e^2x + 1 round to the same magnitude. */
  static void reduceTwice(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = 2 * Math.max(Math.min(x[i], SATURATION), -SATURATION);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = remainder(v, rounded - ROUNDING);
    }
  }

  /** Reduces -x, with powers of two times UNSCALE: the largest are those where 1 / e^-x rounds to 0. */
  static void reduceOpposite(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.min(Math.max(-x[i], -SATURATION), -LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING_UNSCALED);
      k[i] = rounded;
      r[i] = remainder(v, rounded - ROUNDING_UNSCALED);
    }
  }

  /** Reduces -|x|. */
  static void reduceNegative(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.max(-Math.abs(x[i]), LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = remainder(v, rounded - ROUNDING);
    }
  }

  /** Reduces |x|, with powers of two times UNSCALE. */
  static void reduceMagnitude(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double v = Math.min(Math.abs(x[i]), -LOWEST);
      double rounded = Math.fma(v, LOG2_E, ROUNDING_UNSCALED);
      k[i] = rounded;
      r[i] = remainder(v, rounded - ROUNDING_UNSCALED);
    }
  }

  /** Reduces -x²/2, including the rounding error of x². */
  static void reduceSquare(double[] x, double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.min(Math.abs(x[i]), Approximations.MAX_NORMAL_ARGUMENT);
      double square = y * y;
      double error = Math.fma(y, y, -square);
      double v = (double) -0.5 * square;
      double rounded = Math.fma(v, LOG2_E, ROUNDING);
      k[i] = rounded;
      r[i] = Math.fma(error, (double) -0.5, remainder(v, rounded - ROUNDING));
    }
  }

  /** Replaces the reduced argument, k and r, by the power of two and p. */
  static void raise(double[] k, double[] r, int count) {
    for (int i = 0; i < count; i++) {
      r[i] = Approximations.expm1(r[i]);
    }
    Approximations.powersOfTwo(k, count);
  }

  /** Replaces powers by e^x. */
  static void join(double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      powers[i] = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
    }
  }

  /** Computes y *= e^x. */
  static void timesJoined(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] *= Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
    }
  }

  /**
   * Splits k into k/2, rounded, and the factor 2^(k - 2·(k/2)), which is 1/2, 1 or 2: over the whole range of x, 2^k may overflow
   * or underflow.
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

  /** Replaces odd by e^x, where k was halved. */
  static void joinHalves(double[] powers, double[] p, double[] odd, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      odd[i] = Math.fma(p[i], odd[i], odd[i]) * power * power;
    }
  }

  /** Returns v - n·ln 2. */
  private static double remainder(double v, double n) {
    return Math.fma(n, -LN2_REST, Math.fma(n, -LN2, v));
  }
}
