package dev.plumb.backend.cpu.fp64;

/**
 * Functions that are defined separately above and below 0. C2 does not vectorize comparisons, but it does vectorize min and max:
 * multiplying twice by the largest number makes each positive number greater than 1, and each negative one less than -1.
 */
@SuppressWarnings("cast") // casts are needed in the generated single-precision source
final class Piecewise {
  static final double LEAKY_SLOPE = (double) 0.01;

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

  /** Computes delta *= relu'(z) for a = relu(z), which is never negative. */
  static void timesStep(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.min(a[from + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1);
    }
  }

  /** Computes delta *= leaky_relu'(z) for a = leaky_relu(z), which has the sign of z. */
  static void timesLeakyStep(double[] a, double[] delta, int from, int count) {
    for (int i = 0; i < count; i++) {
      delta[from + i] *= Math.max(Math.min(a[from + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1), LEAKY_SLOPE);
    }
  }

  /** Computes delta *= g(z), where tails = g(-|z|) and g(z) = 1 - g(-z). */
  static void timesReflected(double[] z, double[] tails, double[] delta, int count) {
    for (int i = 0; i < count; i++) {
      double step = step(z[i]);
      delta[i] *= Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** Returns 1 above 0, otherwise 0; NaN for NaN. */
  static double step(double z) {
    return Math.max(Math.min(z * Double.MAX_VALUE * Double.MAX_VALUE, 1), 0);
  }
}
