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

  static void twice(double[] x, int count) {
    for (int i = 0; i < count; i++) {
      x[i] *= 2;
    }
  }

  /** e^x / (1 + e^x), both sides scaled, so that the smallest results are rounded once. */
  static void sigmoid(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]);
      y[i] = e / (e + SCALE);
    }
  }

  static void silu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]);
      a[i] = z[i] * (e / (e + SCALE));
    }
  }

  /** (e^2z - 1) / (e^2z + 1), from the parts of e^2z. */
  static void tanh(double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      double expm1 = Math.fma(p[i], power, power - 1);
      a[i] = expm1 / (expm1 + 2);
    }
  }

  /** e^z - 1 is above z but at 0. */
  static void elu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[i] = Math.max(z[i], Math.fma(p[i], power, power - 1));
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

  /** y = max(x, 0) + y. */
  static void softplus(double[] x, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] = Math.max(x[i], 0) + y[i];
    }
  }

  static void timesSigmoidSlope(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= a[from + i] * (1 - a[from + i]);
    }
  }

  static void timesTanhSlope(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.fma(-a[from + i], a[from + i], 1);
    }
  }

  /** sigmoid(z) = 1 - e^-a for a = softplus(z), to the last digits on both sides; from the parts of e^-a. */
  static void timesSoftplusSlope(double[] powers, double[] p, double[] delta, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      delta[i] *= Math.fma(-p[i], power, 1 - power);
    }
  }

  /** silu'(-y) = e·(1 + e - y) / (1 + e)² for y = |z|, e = e^-y; in the place of p. */
  static void siluTailSlopes(double[] z, double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      double sum = 1 + e;
      p[i] = e * (sum - Math.abs(z[i])) / (sum * sum);
    }
  }
}
