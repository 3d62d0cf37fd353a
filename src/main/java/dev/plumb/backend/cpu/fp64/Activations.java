package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;

/**
 * The activation functions and their derivatives over parts of arrays, and exp, sigmoid and softplus for the losses. One
 * instance serves one thread: it holds the scratch of a tile and allocates nothing afterwards.
 *
 * <p>A NaN that comes in goes out, from the derivatives too. Infinities and zeros give what the scalar formulas of the reference
 * give (silu and gelu at -∞, and their derivatives at ±∞, are NaN), but for the sign of a zero.
 *
 * <p>The loops are written for HotSpot's vectoriser: it takes arithmetic, fma, min, max and abs over flat arrays, but no
 * comparison, no choice, no call and no conversion. So a choice is made by max and min, see {@link #step}, and longer formulas
 * stand as several loops over a tile that stays in the first-level cache.
 */
@SuppressWarnings("cast") // constants are cast for the single-precision text of this file
final class Activations {
  static final int TILE = 256;
  private static final double LEAKY_SLOPE = (double) 0.01;

  private final double[] powers = new double[TILE];
  private final double[] fractions = new double[TILE];
  private final double[] tails = new double[TILE];

  /**
   * Whether f' can be had from a = f(z) alone as well as from z, so that z may be overwritten by a. sigmoid and tanh saturate:
   * their derivatives keep the digits that a·(1-a) and 1-a² have, as do the reference's.
   */
  static boolean derivativeFromOutput(Activation f) {
    return switch (f) {
      case LINEAR, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTPLUS -> true;
      case ELU, GELU, SILU -> false;
    };
  }

  /** a = f(z); a may be z itself, at the same place. */
  void apply(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count) {
    switch (f) {
      case LINEAR -> {
        if (z != a || zFrom != aFrom) {
          System.arraycopy(z, zFrom, a, aFrom, count);
        }
      }
      case RELU -> relu(z, zFrom, a, aFrom, count);
      case LEAKY_RELU -> leakyRelu(z, zFrom, a, aFrom, count);
      case SIGMOID -> sigmoid(z, zFrom, a, aFrom, count);
      case TANH -> tanh(z, zFrom, a, aFrom, count);
      case SOFTPLUS -> softplus(z, zFrom, a, aFrom, count);
      case ELU -> elu(z, zFrom, a, aFrom, count);
      case GELU -> gelu(z, zFrom, a, aFrom, count);
      case SILU -> silu(z, zFrom, a, aFrom, count);
    }
  }

  /** delta = delta·f'(z), given z and a = f(z); z is not read where {@link #derivativeFromOutput}. */
  void timesDerivative(
      Activation f, double[] z, int zFrom, double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    switch (f) {
      case LINEAR -> {}
      case RELU -> timesStep(a, aFrom, delta, deltaFrom, count);
      case LEAKY_RELU -> timesLeakyStep(a, aFrom, delta, deltaFrom, count);
      case SIGMOID -> timesSigmoidSlope(a, aFrom, delta, deltaFrom, count);
      case TANH -> timesTanhSlope(a, aFrom, delta, deltaFrom, count);
      case SOFTPLUS -> timesSoftplusSlope(a, aFrom, delta, deltaFrom, count);
      case ELU -> timesEluSlope(z, zFrom, delta, deltaFrom, count);
      case GELU -> timesGeluSlope(z, zFrom, delta, deltaFrom, count);
      case SILU -> timesSiluSlope(z, zFrom, delta, deltaFrom, count);
    }
  }

  /** y = e^x, over the whole range; y may be x itself. */
  void exp(double[] x, int xFrom, double[] y, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.halve(x, xFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Exponential.joinHalves(powers, fractions, y, yFrom + done, length);
    }
  }

  /** y = 1 / (1 + e^-x); y may be x itself. */
  void sigmoid(double[] x, int xFrom, double[] y, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.split(x, xFrom + done, Exponential.LOWEST, Exponential.ALONE, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.sigmoid(powers, fractions, y, yFrom + done, length);
    }
  }

  /** y = log(1 + e^x); y may be x itself. */
  void softplus(double[] x, int xFrom, double[] y, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.splitNegative(x, xFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.log1p(powers, fractions, tails, length);
      Logistic.softplus(x, xFrom + done, tails, y, yFrom + done, length);
    }
  }

  private void tanh(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.splitTwice(z, zFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.tanh(powers, fractions, a, aFrom + done, length);
    }
  }

  private void silu(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.split(z, zFrom + done, Exponential.LOWEST, Exponential.ALONE, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.silu(z, zFrom + done, powers, fractions, a, aFrom + done, length);
    }
  }

  private void elu(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.split(z, zFrom + done, -Exponential.ALONE, 0, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.elu(z, zFrom + done, powers, fractions, a, aFrom + done, length);
    }
  }

  private void gelu(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      normalTails(z, zFrom + done, length);
      Normal.gelu(z, zFrom + done, tails, a, aFrom + done, length);
    }
  }

  private void timesSoftplusSlope(double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.splitNegative(a, aFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.timesSoftplusSlope(powers, fractions, delta, deltaFrom + done, length);
    }
  }

  private void timesEluSlope(double[] z, int zFrom, double[] delta, int deltaFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.split(z, zFrom + done, Exponential.LOWEST, 0, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Exponential.timesJoined(powers, fractions, delta, deltaFrom + done, length);
    }
  }

  private void timesSiluSlope(double[] z, int zFrom, double[] delta, int deltaFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Exponential.splitNegative(z, zFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Logistic.siluTailSlopes(z, zFrom + done, powers, fractions, tails, length);
      timesReflected(z, zFrom + done, tails, delta, deltaFrom + done, length);
    }
  }

  private void timesGeluSlope(double[] z, int zFrom, double[] delta, int deltaFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      Normal.mills(z, zFrom + done, tails, length);
      Normal.splitDensity(z, zFrom + done, powers, fractions, length);
      Exponential.powersOfTwo(powers, length);
      Normal.tailSlopes(z, zFrom + done, powers, fractions, tails, length);
      timesReflected(z, zFrom + done, tails, delta, deltaFrom + done, length);
    }
  }

  /** tails = Φ(-|z|). */
  private void normalTails(double[] z, int zFrom, int length) {
    Normal.mills(z, zFrom, tails, length);
    Normal.splitDensity(z, zFrom, powers, fractions, length);
    Exponential.powersOfTwo(powers, length);
    Exponential.timesJoined(powers, fractions, tails, 0, length);
  }

  private static void relu(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int i = 0; i < count; i++) {
      a[aFrom + i] = Math.max(z[zFrom + i], 0);
    }
  }

  private static void leakyRelu(double[] z, int zFrom, double[] a, int aFrom, int count) {
    for (int i = 0; i < count; i++) {
      a[aFrom + i] = Math.max(z[zFrom + i], LEAKY_SLOPE * z[zFrom + i]);
    }
  }

  /** a is never below 0: it is relu's output. */
  private static void timesStep(double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    for (int i = 0; i < count; i++) {
      delta[deltaFrom + i] *= Math.min(a[aFrom + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1);
    }
  }

  private static void timesLeakyStep(double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    for (int i = 0; i < count; i++) {
      delta[deltaFrom + i] *= Math.max(Math.min(a[aFrom + i] * Double.MAX_VALUE * Double.MAX_VALUE, 1), LEAKY_SLOPE);
    }
  }

  private static void timesSigmoidSlope(double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    for (int i = 0; i < count; i++) {
      delta[deltaFrom + i] *= a[aFrom + i] * (1 - a[aFrom + i]);
    }
  }

  private static void timesTanhSlope(double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    for (int i = 0; i < count; i++) {
      delta[deltaFrom + i] *= Math.fma(-a[aFrom + i], a[aFrom + i], 1);
    }
  }

  /** delta *= g(z), where g(-|z|) = tails and g(z) = 1 - g(-z). */
  private static void timesReflected(double[] z, int zFrom, double[] tails, double[] delta, int deltaFrom, int count) {
    for (int i = 0; i < count; i++) {
      double step = step(z[zFrom + i]);
      delta[deltaFrom + i] *= Math.fma(tails[i], Math.fma(-2, step, 1), step);
    }
  }

  /** 1 above 0, else 0; NaN for NaN. The product takes the smallest number beyond 1. */
  static double step(double z) {
    return Math.max(Math.min(z * Double.MAX_VALUE * Double.MAX_VALUE, 1), 0);
  }
}
