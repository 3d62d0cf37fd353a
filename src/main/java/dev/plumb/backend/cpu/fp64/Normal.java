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
  private static final double UNSCALE = Approximations.UNSCALE;
  private static final double ROUNDING = Approximations.ROUNDING;

  private Normal() {}

  /** m(|z|). */
  static void mills(double[] z, int from, double[] m, int count) {
    for (int i = 0; i < count; i++) {
      m[i] = 1 / (Math.abs(z[from + i]) + CENTRE);
    }
    for (int i = 0; i < count; i++) {
      double t = Math.fma(m[i], -2 * CENTRE, 1);
      m[i] *= Approximations.mills(t, Approximations.millsUpper(t));
    }
  }

  /** The parts of e^(-z²/2), as {@link Exponential#split} gives them; what z² loses by rounding is in it. */
  static void splitDensity(double[] z, int from, double[] k, double[] p, int count) {
    for (int i = 0; i < count; i++) {
      double y = Math.min(Math.abs(z[from + i]), Approximations.FARTHEST);
      double square = y * y;
      double v = (double) -0.5 * square;
      double rounded = Math.fma(v, Approximations.LOG2_E, ROUNDING);
      k[i] = rounded;
      double lost = Math.fma(y, y, -square);
      p[i] = Approximations.expm1(Math.fma(lost, (double) -0.5, Exponential.rest(v, rounded - ROUNDING)));
    }
  }

  /** a = z·Φ(z), from tails = Φ(-|z|). */
  static void gelu(double[] z, int zFrom, double[] tails, double[] a, int aFrom, int count) {
    for (int i = 0; i < count; i++) {
      double step = Activations.step(z[zFrom + i]);
      a[aFrom + i] = z[zFrom + i] * Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** gelu'(-y) = e^(-y²/2)·(m(y) - y / √2π), y = |z|, in the place of m(y). */
  static void tailSlopes(double[] z, int zFrom, double[] powers, double[] p, double[] m, int count) {
    for (int i = 0; i < count; i++) {
      double density = Math.fma(p[i], powers[i], powers[i]) * UNSCALE;
      m[i] = density * Math.fma(Math.abs(z[zFrom + i]), -DENSITY_AT_ZERO, m[i]);
    }
  }
}
