package dev.plumb.backend.cpu.fp64;

/**
 * The normal distribution's Φ, for gelu. Both Φ and gelu' follow from their values at -|z|, by Φ(z) = 1 - Φ(-z); there
 * Φ(-y) = e^(-y²/2)·m(y), where m, Mills' ratio over √2π, is a smooth function from 1/2 down to 0. It is taken as a polynomial
 * in t = (y - c) / (y + c), divided by y + c, after Shepherd and Laframboise, Mathematics of Computation 36 (1981).
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Normal {
  private static final double CENTRE = Approximations.MILLS_CENTRE;
  /** 1 / √2π */
  private static final double DENSITY_AT_ZERO = (double) 0.39894228040143268;

  private Normal() {}

  /** m(|z|); upper is scratch. */
  static void mills(double[] z, double[] m, double[] upper, int count) {
    invert(z, m, count);
    millsUpper(m, upper, count);
    for (int i = 0; i < count; i++) {
      m[i] *= Approximations.mills(Math.fma(m[i], -2 * CENTRE, 1), upper[i]);
    }
  }

  private static void invert(double[] z, double[] inverse, int count) {
    for (int i = 0; i < count; i++) {
      inverse[i] = 1 / (Math.abs(z[i]) + CENTRE);
    }
  }

  private static void millsUpper(double[] inverse, double[] upper, int count) {
    for (int i = 0; i < count; i++) {
      upper[i] = Approximations.millsUpper(Math.fma(inverse[i], -2 * CENTRE, 1));
    }
  }

  /** z·Φ(z), in the place of tails = Φ(-|z|). */
  static void gelu(double[] z, double[] tails, int count) {
    for (int i = 0; i < count; i++) {
      double step = Piecewise.step(z[i]);
      tails[i] = z[i] * Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** gelu'(-y) = e^(-y²/2)·(m(y) - y / √2π), y = |z|, from density = e^(-y²/2), in the place of m(y). */
  static void tailSlopes(double[] z, double[] density, double[] m, int count) {
    for (int i = 0; i < count; i++) {
      m[i] = density[i] * Math.fma(Math.abs(z[i]), -DENSITY_AT_ZERO, m[i]);
    }
  }
}
