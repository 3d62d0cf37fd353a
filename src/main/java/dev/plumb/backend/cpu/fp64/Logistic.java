package dev.plumb.backend.cpu.fp64;

/**
 * What is made of e^x by few operations: sigmoid, tanh, softplus, silu, elu and their derivatives, from the parts of
 * {@link Exponential}.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Logistic {
  private static final double UNSCALE = Approximations.UNSCALE;

  private Logistic() {}

  /** 1 / (1 + e^-x), from the parts of e^-x times UNSCALE: the smallest results are rounded once. */
  static void sigmoid(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] = UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE);
    }
  }

  static void silu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      a[i] = z[i] * (UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE));
    }
  }

  /** (e^2z - 1) / (e^2z + 1), from the parts of e^2z. */
  static void tanh(double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[i] = Math.fma(p[i], power, power - 1) / Math.fma(p[i], power, power + 1);
    }
  }

  /** e^z - 1 is above z but at 0. */
  static void elu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[i] = Math.max(z[i], Math.fma(p[i], power, power - 1));
    }
  }

  /** e = e^x in the place of powers and s = e / (2 + e) in that of p. */
  static void quotients(double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      powers[i] = e;
      p[i] = e / (2 + e);
    }
  }

  /** 2 artanh(s) / s - 2. */
  static void series(double[] s, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double w = s[i] * s[i];
      y[i] = w * Approximations.artanhRest(w);
    }
  }

  /** max(x, 0) + log(1 + e) for e = e^-|x|: the logarithm is e - e²/2 + s·(e²/2 + y); in the place of y. */
  static void softplus(double[] x, double[] e, double[] s, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double half = (double) 0.5 * e[i] * e[i];
      y[i] = Math.max(x[i], 0) + (e[i] - (half - s[i] * (half + y[i])));
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

  /** silu'(-y) = s·(1 - y + y·s) for y = |z|, s = sigmoid(-y), from the parts of e^y times UNSCALE; in the place of p. */
  static void siluTailSlopes(double[] z, double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.abs(z[i]);
      double s = UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE);
      p[i] = s * Math.fma(y, s, 1 - y);
    }
  }
}
