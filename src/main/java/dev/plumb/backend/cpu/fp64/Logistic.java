package dev.plumb.backend.cpu.fp64;

/**
 * What is made of e^x by few operations: sigmoid, tanh, softplus, silu, elu and their derivatives, from the parts of
 * {@link Exponential}. Powers are still to be multiplied by UNSCALE.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Logistic {
  private static final double UNSCALE = Approximations.UNSCALE;
  private static final double SCALE = 1 / UNSCALE;

  private Logistic() {}

  /** e^x / (1 + e^x), both sides scaled, so that the smallest results are rounded once. */
  static void sigmoid(double[] powers, double[] p, double[] y, int from, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]);
      y[from + i] = e / (e + SCALE);
    }
  }

  static void silu(double[] z, int zFrom, double[] powers, double[] p, double[] a, int aFrom, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]);
      a[aFrom + i] = z[zFrom + i] * (e / (e + SCALE));
    }
  }

  /** (e^2z - 1) / (e^2z + 1), from the parts of e^2z. */
  static void tanh(double[] powers, double[] p, double[] a, int from, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      double expm1 = Math.fma(p[i], power, power - 1);
      a[from + i] = expm1 / (expm1 + 2);
    }
  }

  /** e^z - 1 is above z but at 0. */
  static void elu(double[] z, int zFrom, double[] powers, double[] p, double[] a, int aFrom, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[aFrom + i] = Math.max(z[zFrom + i], Math.fma(p[i], power, power - 1));
    }
  }

  /** log(1 + e) for e = e^x up to 1: e - e²/2 + s·(e²/2 + w·(…)), s = e / (2 + e), w = s². */
  static void log1p(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      double s = e / (2 + e);
      double half = (double) 0.5 * e * e;
      double w = s * s;
      y[i] = e - (half - s * Math.fma(w, Approximations.artanhRest(w), half));
    }
  }

  static void softplus(double[] x, int xFrom, double[] logs, double[] y, int yFrom, int count) {
    for (int i = 0; i < count; i++) {
      y[yFrom + i] = Math.max(x[xFrom + i], 0) + logs[i];
    }
  }

  /** sigmoid(z) = 1 - e^-a for a = softplus(z), to the last digits on both sides; from the parts of e^-a. */
  static void timesSoftplusSlope(double[] powers, double[] p, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      delta[from + i] *= Math.fma(-p[i], power, 1 - power);
    }
  }

  /** silu'(-y) = e·(1 + e - y) / (1 + e)² for y = |z|, e = e^-y. */
  static void siluTailSlopes(double[] z, int zFrom, double[] powers, double[] p, double[] slopes, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      double sum = 1 + e;
      slopes[i] = e * (sum - Math.abs(z[zFrom + i])) / (sum * sum);
    }
  }
}
