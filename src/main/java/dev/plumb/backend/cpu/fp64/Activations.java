package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;

/**
 * The activation functions and their derivatives over parts of arrays, and exp, sigmoid and softplus for the losses. One
 * instance serves one thread: it holds the scratch of a tile and allocates nothing afterwards.
 *
 * <p>A NaN that comes in goes out, from the derivatives too. Infinities and zeros give what the scalar formulas of the reference
 * give (silu and gelu at -∞, and their derivatives at ±∞, are NaN), but for the sign of a zero.
 *
 * <p>The loops are written for HotSpot's vectoriser. Of Java 17 it takes arithmetic, fma, min, max and abs over arrays that are
 * all indexed alike, but no comparison, no choice, no call, no conversion and no two offsets. So a choice is made by max and
 * min, see {@link Piecewise}; what is at an offset of its own is copied to a tile that stays in the first-level cache, and back;
 * and longer formulas stand as several loops over that tile. Equal offsets save the copies for the simple functions: linear,
 * relu and leaky_relu, and the derivatives from a of these, sigmoid and tanh.
 */
final class Activations {
  static final int TILE = 256;
  /** Arrays of a power of two lie so that the same places in them contend for the same lines of the cache. */
  private static final int GAP = 32;

  private final double[] x = new double[TILE + GAP];
  private final double[] y = new double[TILE + GAP];
  private final double[] powers = new double[TILE + GAP];
  private final double[] fractions = new double[TILE + GAP];
  private final double[] upper = new double[TILE + GAP];

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
      case LINEAR, RELU, LEAKY_RELU -> applyPiecewise(f, z, zFrom, a, aFrom, count);
      case SIGMOID, TANH, SOFTPLUS, ELU, GELU, SILU -> {
        for (int done = 0; done < count; done += TILE) {
          int length = Math.min(TILE, count - done);
          System.arraycopy(z, zFrom + done, x, 0, length);
          applyToTile(f, length);
          System.arraycopy(y, 0, a, aFrom + done, length);
        }
      }
    }
  }

  /** delta = delta·f'(z), given z and a = f(z); z is not read where {@link #derivativeFromOutput}. */
  void timesDerivative(
      Activation f, double[] z, int zFrom, double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    if (f == Activation.LINEAR) {
      return;
    }
    if (aFrom == deltaFrom && timesDerivativeInPlace(f, a, delta, deltaFrom, count)) {
      return;
    }
    boolean fromOutput = derivativeFromOutput(f);
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      System.arraycopy(fromOutput ? a : z, (fromOutput ? aFrom : zFrom) + done, x, 0, length);
      System.arraycopy(delta, deltaFrom + done, y, 0, length);
      timesDerivativeOfTile(f, length);
      System.arraycopy(y, 0, delta, deltaFrom + done, length);
    }
  }

  /** y = e^x, over the whole range; y may be x itself, at the same place. */
  void exp(double[] from, int xFrom, double[] to, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      System.arraycopy(from, xFrom + done, x, 0, length);
      Exponential.reduce(x, Exponential.LOWEST, Approximations.HIGHEST, powers, fractions, length);
      Exponential.halve(powers, y, length);
      Exponential.raise(powers, fractions, length);
      Exponential.joinHalves(powers, fractions, y, length);
      System.arraycopy(y, 0, to, yFrom + done, length);
    }
  }

  /** y = 1 / (1 + e^-x); y may be x itself, at the same place. */
  void sigmoid(double[] from, int xFrom, double[] to, int yFrom, int count) {
    apply(Activation.SIGMOID, from, xFrom, to, yFrom, count);
  }

  /** y = log(1 + e^x); y may be x itself, at the same place. */
  void softplus(double[] from, int xFrom, double[] to, int yFrom, int count) {
    apply(Activation.SOFTPLUS, from, xFrom, to, yFrom, count);
  }

  private static void applyPiecewise(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count) {
    double[] in = z;
    if (zFrom != aFrom || f == Activation.LINEAR && z != a) {
      System.arraycopy(z, zFrom, a, aFrom, count);
      in = a;
    }
    if (f == Activation.RELU) {
      Piecewise.relu(in, a, aFrom, count);
    } else if (f == Activation.LEAKY_RELU) {
      Piecewise.leakyRelu(in, a, aFrom, count);
    }
  }

  /** y = f(x). */
  private void applyToTile(Activation f, int length) {
    switch (f) {
      case SIGMOID -> {
        Exponential.reduce(x, Exponential.LOWEST, Exponential.ALONE, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.sigmoid(powers, fractions, y, length);
      }
      case TANH -> {
        Logistic.twice(x, length);
        Exponential.reduce(x, -Exponential.ALONE, Exponential.ALONE, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.tanh(powers, fractions, y, length);
      }
      case SOFTPLUS -> {
        Exponential.reduceNegative(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.log1p(powers, fractions, y, length);
        Logistic.softplus(x, y, length);
      }
      case ELU -> {
        Exponential.reduce(x, -Exponential.ALONE, 0, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.elu(x, powers, fractions, y, length);
      }
      case GELU -> {
        Normal.mills(x, y, powers, length);
        Exponential.reduceSquare(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Exponential.timesJoined(powers, fractions, y, length);
        Normal.gelu(x, y, length);
      }
      case SILU -> {
        Exponential.reduce(x, Exponential.LOWEST, Exponential.ALONE, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.silu(x, powers, fractions, y, length);
      }
      default -> throw new AssertionError(f);
    }
  }

  /** Whether it was done: delta *= f' where few operations on a give f', and both begin at one index. */
  private static boolean timesDerivativeInPlace(Activation f, double[] a, double[] delta, int from, int count) {
    switch (f) {
      case RELU -> Piecewise.timesStep(a, delta, from, count);
      case LEAKY_RELU -> Piecewise.timesLeakyStep(a, delta, from, count);
      case SIGMOID -> Logistic.timesSigmoidSlope(a, delta, from, count);
      case TANH -> Logistic.timesTanhSlope(a, delta, from, count);
      default -> {
        return false;
      }
    }
    return true;
  }

  /** y *= f', x being a where f' is had from it, else z. */
  private void timesDerivativeOfTile(Activation f, int length) {
    switch (f) {
      case SOFTPLUS -> {
        Exponential.reduceNegative(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.timesSoftplusSlope(powers, fractions, y, length);
      }
      case ELU -> {
        Exponential.reduce(x, Exponential.LOWEST, 0, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Exponential.timesJoined(powers, fractions, y, length);
      }
      case GELU -> {
        Exponential.reduceSquare(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Exponential.join(powers, fractions, length);
        Normal.mills(x, fractions, upper, length);
        Normal.tailSlopes(x, powers, fractions, length);
        Piecewise.timesReflected(x, fractions, y, length);
      }
      case SILU -> {
        Exponential.reduceNegative(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.siluTailSlopes(x, powers, fractions, length);
        Piecewise.timesReflected(x, fractions, y, length);
      }
      default -> timesDerivativeInPlace(f, x, y, 0, length);
    }
  }
}
