package dev.plumb.backend.cpu.fp64;

/**
 * Functions that are one thing above 0 and another below. Comparisons do not become vectors; min and max do: the product with
 * two very large numbers takes whatever is above 0 beyond 1, and what is below 0 beyond -1.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Piecewise {
  private static final double LEAKY_SLOPE = (double) 0.01;

  private Piecewise() {}

  static void relu(double[] z, double[] a, int from, int count) {
    for (int i = 0; i < count; i++) {
      a[from + i] = Math.max(z[from + i], 0);
    }
  }

  static void leakyRelu(double[] z, double[] a, int from, int count) {
    for (int i = 0; i < count; i++) {
      a[from + i] = Math.max(z[from + i], LEAKY_SLOPE * z[from + i]);
    }
  }

  /** delta *= relu'(z) for a = relu(z), which is never below 0. */
  static void timesStep(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.min(a[from + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1);
    }
  }

  static void timesLeakyStep(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.max(Math.min(a[from + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1), LEAKY_SLOPE);
    }
  }

  /** delta *= g(z), where g(-|z|) = tails and g(z) = 1 - g(-z). */
  static void timesReflected(double[] z, double[] tails, double[] delta, int count) {
    for (int i = 0; i < count; i++) {
      double step = step(z[i]);
      delta[i] *= Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** 1 above 0, else 0; NaN for NaN. */
  static double step(double z) {
    return Math.max(Math.min(z * Double.MAX_VALUE * Double.MAX_VALUE, 1), 0);
  }
}
