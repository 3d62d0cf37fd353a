package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;

/**
 * The activation functions and their derivatives over ranges of arrays, and exp, sigmoid and softplus for the losses. One
 * instance per thread: it contains scratch memory, so that calls do not allocate.
 *
 * <p>NaN gives NaN, also in the derivatives. Infinities and zeros give the results of the reference's scalar formulas (silu and
 * gelu at -∞, and their derivatives at ±∞, are NaN), except for the sign of a zero. Errors are below 5 units in the last place;
 * the tests list the bound of each function.
 *
 * <p>The loops are written for HotSpot's automatic vectorization. That of Java 17 supports arithmetic, fma, min, max and abs over
 * arrays that all have the same index, but no comparisons, branches, calls, conversions or different offsets. Branches are
 * therefore replaced by max and min, see {@link Piecewise}; a range at another offset is copied to a tile in the first-level
 * cache, and back; and longer formulas are several loops over that tile. The simple functions need no copies when offsets are
 * equal: linear, relu and leaky_relu, their derivatives computed from a, and those of sigmoid and tanh.
 */
final class Activations {
  /** Values per tile. */
  static final int TILE = 512;
  /** Extra length: with lengths of a power of two, elements at one index of several arrays compete for the same cache lines. */
  private static final int PADDING = 32;

  private final double[] input = new double[TILE + PADDING];
  private final double[] output = new double[TILE + PADDING];
  private final double[] powers = new double[TILE + PADDING];
  private final double[] fractions = new double[TILE + PADDING];
  private final double[] upper = new double[TILE + PADDING];

  /**
   * Returns whether f' is computed from a = f(z) only, so that a may overwrite z. Where sigmoid and tanh saturate, their
   * derivatives have the digits of a·(1-a) and 1-a², as in the reference.
   */
  static boolean derivativeFromOutput(Activation f) {
    return switch (f) {
      case LINEAR, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTPLUS -> true;
      case ELU, GELU, SILU -> false;
    };
  }

  /** Computes a = f(z); a may be z itself, at the same offset. */
  void apply(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count) {
    switch (f) {
      case LINEAR, RELU, LEAKY_RELU -> applyPiecewise(f, z, zFrom, a, aFrom, count);
      case SIGMOID, TANH, SOFTPLUS, ELU, GELU, SILU -> {
        for (int done = 0; done < count; done += TILE) {
          int length = Math.min(TILE, count - done);
          double[] in = tile(z, zFrom + done, input, length);
          double[] out = aFrom + done == 0 && a != in ? a : output;
          applyToTile(f, in, out, length);
          putBack(out, a, aFrom + done, length);
        }
      }
    }
  }

  /** Computes delta *= f'(z), given z and a = f(z); z is not read where {@link #derivativeFromOutput} is true. */
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
      double[] in = tile(fromOutput ? a : z, (fromOutput ? aFrom : zFrom) + done, input, length);
      double[] product = tile(delta, deltaFrom + done, output, length);
      timesDerivativeOfTile(f, in, product, length);
      putBack(product, delta, deltaFrom + done, length);
    }
  }

  /** Computes y = e^x, over the whole range of x; y may be x itself, at the same offset. */
  void exp(double[] from, int xFrom, double[] to, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      expOfTile(tile(from, xFrom + done, input, length), output, length);
      putBack(output, to, yFrom + done, length);
    }
  }

  /** Computes y = 1 / (1 + e^-x); y may be x itself, at the same offset. */
  void sigmoid(double[] from, int xFrom, double[] to, int yFrom, int count) {
    apply(Activation.SIGMOID, from, xFrom, to, yFrom, count);
  }

  /** Computes y = log(1 + e^x); y may be x itself, at the same offset. */
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

  /** Returns an array that begins with the values from an index on: the array itself for index 0, otherwise the filled copy. */
  static double[] tile(double[] array, int from, double[] copy, int length) {
    if (from == 0) {
      return array;
    }
    System.arraycopy(array, from, copy, 0, length);
    return copy;
  }

  /** Copies a tile back to its place, unless it is the array itself. */
  static void putBack(double[] tile, double[] array, int from, int length) {
    if (tile != array) {
      System.arraycopy(tile, 0, array, from, length);
    }
  }

  private void expOfTile(double[] x, double[] y, int length) {
    Exponential.reduce(x, Exponential.LOWEST, Approximations.HIGHEST, powers, fractions, length);
    Exponential.halve(powers, y, length);
    Exponential.raise(powers, fractions, length);
    Exponential.joinHalves(powers, fractions, y, length);
  }

  /** Computes y = f(x). */
  private void applyToTile(Activation f, double[] x, double[] y, int length) {
    switch (f) {
      case SIGMOID -> {
        Exponential.reduceOpposite(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.sigmoid(powers, fractions, y, length);
      }
      case TANH -> {
        Exponential.reduceTwice(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.tanh(powers, fractions, y, length);
      }
      case SOFTPLUS -> {
        Exponential.reduceNegative(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.quotients(powers, fractions, length);
        Logistic.series(fractions, y, length);
        Logistic.softplus(x, powers, fractions, y, length);
      }
      case ELU -> {
        Exponential.reduce(x, -Exponential.SATURATION, 0, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.elu(x, powers, fractions, y, length);
      }
      case GELU -> {
        Normal.quotients(x, y, powers, length);
        Exponential.reduceSquare(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Normal.tails(x, powers, fractions, y, length);
        Normal.gelu(x, y, length);
      }
      case SILU -> {
        Exponential.reduceOpposite(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.silu(x, powers, fractions, y, length);
      }
      default -> throw new AssertionError(f);
    }
  }

  /** Computes delta *= f' if f' is a simple function of a; returns whether it is. Both ranges begin at the same index. */
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

  /** Computes y *= f', where x is a for {@link #derivativeFromOutput}, otherwise z. */
  private void timesDerivativeOfTile(Activation f, double[] x, double[] y, int length) {
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
        Normal.quotients(x, fractions, upper, length);
        Normal.tailSlopes(x, powers, fractions, length);
        Piecewise.timesReflected(x, fractions, y, length);
      }
      case SILU -> {
        Exponential.reduceMagnitude(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.siluTailSlopes(x, powers, fractions, length);
        Piecewise.timesReflected(x, fractions, y, length);
      }
      default -> timesDerivativeInPlace(f, x, y, 0, length);
    }
  }
}
