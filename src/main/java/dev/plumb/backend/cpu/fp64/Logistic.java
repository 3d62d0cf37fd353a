package dev.plumb.backend.cpu.fp64;

/**
 * Functions that follow from e^x by few operations: sigmoid, tanh, softplus, silu, elu and their derivatives, computed from the
 * power of two and p of {@link Exponential}.
 */
@SuppressWarnings("cast") // casts are needed in the generated single-precision source
final class Logistic {
  private static final double UNSCALE = Approximations.UNSCALE;

  private Logistic() {}

  /** Computes 1 / (1 + e^-x) from the parts of e^-x times UNSCALE: the smallest results are rounded only once. */
  static void sigmoid(double[] powers, double[] p, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      y[i] = UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE);
    }
  }

  /** Computes z / (1 + e^-z) from the parts of e^-z times UNSCALE. */
  static void silu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      a[i] = z[i] * (UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE));
    }
  }

  /** Computes (e^2z - 1) / (e^2z + 1) from the parts of e^2z. */
  static void tanh(double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[i] = Math.fma(p[i], power, power - 1) / Math.fma(p[i], power, power + 1);
    }
  }

  /** Computes max(z, e^z - 1) from the parts of e^min(z, 0): e^z - 1 is greater than z except at 0. */
  static void elu(double[] z, double[] powers, double[] p, double[] a, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      a[i] = Math.max(z[i], Math.fma(p[i], power, power - 1));
    }
  }

  /** Replaces powers by e = e^x, and p by s = e / (2 + e). */
  static void quotients(double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double e = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      powers[i] = e;
      p[i] = e / (2 + e);
    }
  }

  /** Computes 2 artanh(s) / s - 2. */
  static void series(double[] s, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double w = s[i] * s[i];
      y[i] = w * Approximations.artanhRest(w);
    }
  }

  /** Replaces y by max(x, 0) + log(1 + e) for e = e^-|x|: the logarithm is e - e²/2 + s·(e²/2 + y). */
  static void softplus(double[] x, double[] e, double[] s, double[] y, int count) {
    for (int i = 0; i < count; i++) {
      double half = (double) 0.5 * e[i] * e[i];
      y[i] = Math.max(x[i], 0) + (e[i] - (half - s[i] * (half + y[i])));
    }
  }

  /** Computes delta *= a·(1 - a). */
  static void timesSigmoidSlope(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= a[from + i] * (1 - a[from + i]);
    }
  }

  /** Computes delta *= 1 - a². */
  static void timesTanhSlope(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.fma(-a[from + i], a[from + i], 1);
    }
  }

  /** Computes delta *= sigmoid(z) = 1 - e^-a for a = softplus(z), from the parts of e^-a; accurate for both signs of z. */
  static void timesSoftplusSlope(double[] powers, double[] p, double[] delta, int count) {
    for (int i = 0; i < count; i++) {
      double power = powers[i] * UNSCALE;
      delta[i] *= Math.fma(-p[i], power, 1 - power);
    }
  }

  /** Replaces p by silu'(-y) = s·(1 - y + y·s), y = |z|, s = sigmoid(-y), from the parts of e^y times UNSCALE. */
  static void siluTailSlopes(double[] z, double[] powers, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.abs(z[i]);
      double s = UNSCALE / Math.fma(p[i], powers[i], powers[i] + UNSCALE);
      p[i] = s * Math.fma(y, s, 1 - y);
    }
  }
}
