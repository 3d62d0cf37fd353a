package dev.plumb.backend.cpu.fp64;

/**
 * The cumulative normal distribution Φ, for gelu. Φ and gelu' are computed at -|z|; other values follow from Φ(z) = 1 - Φ(-z),
 * which also holds for gelu'. There Φ(-y) = e^(-y²/2)·q(y) / (1 + 1.25y), where q is between 0.5 and 0.6 and a polynomial in t =
 * (y - c) / (y + c). Method of Shepherd and Laframboise, Mathematics of Computation 36 (1981).
 */
@SuppressWarnings("cast") // casts are needed in the generated single-precision source
final class Normal {
  private static final double CENTER = Approximations.MILLS_CENTER;
  /** 1 / √(2π). */
  private static final double DENSITY_AT_ZERO = (double) 0.39894228040143268;
  private static final double UNSCALE = Approximations.UNSCALE;

  private Normal() {}

  /** Computes q(|z|) as 1/2 + w·(…) with w = (1 + t) / 2, which is accurate near 0; upper is scratch memory. */
  static void quotients(double[] z, double[] q, double[] upper, int count) {
    map(z, q, count);
    upperHalf(q, upper, count);
    for (int i = 0; i < count; i++) {
      double w = q[i];
      q[i] = Math.fma(w, Approximations.millsLower(Math.fma(w, 2, -1), upper[i]), (double) 0.5);
    }
  }

  /** Computes w = y / (y + c), y = |z|. */
  private static void map(double[] z, double[] w, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.min(Math.abs(z[i]), Approximations.MAX_NORMAL_ARGUMENT);
      w[i] = y / (y + CENTER);
    }
  }

  private static void upperHalf(double[] w, double[] upper, int count) {
    for (int i = 0; i < count; i++) {
      upper[i] = Approximations.millsUpper(Math.fma(w[i], 2, -1));
    }
  }

  /** Replaces q by Φ(-|z|), from the parts of e^(-z²/2). */
  static void tails(double[] z, double[] powers, double[] p, double[] q, int count) {
    for (int i = 0; i < count; i++) {
      double scaled = powers[i] * q[i];
      q[i] = Math.fma(p[i], scaled, scaled) / Math.fma(Math.abs(z[i]), (double) 1.25, 1) * UNSCALE;
    }
  }

  /** Replaces tails = Φ(-|z|) by z·Φ(z). */
  static void gelu(double[] z, double[] tails, int count) {
    for (int i = 0; i < count; i++) {
      double step = Piecewise.step(z[i]);
      tails[i] = z[i] * Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** Replaces q by gelu'(-y) = e^(-y²/2)·(q(y) / (1 + 1.25y) - y / √(2π)), y = |z|, from density = e^(-y²/2). */
  static void tailSlopes(double[] z, double[] density, double[] q, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.abs(z[i]);
      q[i] = density[i] * Math.fma(y, -DENSITY_AT_ZERO, q[i] / Math.fma(y, (double) 1.25, 1));
    }
  }
}
