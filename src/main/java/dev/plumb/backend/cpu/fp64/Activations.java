package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;

/**
 * The activation functions and their derivatives over parts of arrays, and exp, sigmoid and softplus for the losses. One
 * instance serves one thread: it holds the scratch of a tile and allocates nothing afterwards.
 *
 * <p>A NaN that comes in goes out, from the derivatives too. Infinities and zeros give what the scalar formulas of the reference
 * give (silu and gelu at -∞, and their derivatives at ±∞, are NaN), but for the sign of a zero. Errors stay below 5 units in the
 * last place; the tests say for each function how far below.
 *
 * <p>The loops are written for HotSpot's vectoriser. Of Java 17 it takes arithmetic, fma, min, max and abs over arrays that are
 * all indexed alike, but no comparison, no choice, no call, no conversion and no two offsets. So a choice is made by max and
 * min, see {@link Piecewise}; what is at an offset of its own is copied to a tile that stays in the first-level cache, and back;
 * and longer formulas stand as several loops over that tile. Equal offsets save the copies for the simple functions: linear,
 * relu and leaky_relu, and the derivatives from a of these, sigmoid and tanh.
 */
final class Activations {
  static final int TILE = 512;
  /** Arrays of a power of two lie so that the same places in them contend for the same lines of the cache. */
  private static final int GAP = 32;

  private final double[] input = new double[TILE + GAP];
  private final double[] output = new double[TILE + GAP];
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
          double[] in = tile(z, zFrom + done, input, length);
          double[] out = aFrom + done == 0 && a != in ? a : output;
          applyToTile(f, in, out, length);
          putBack(out, a, aFrom + done, length);
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
      double[] in = tile(fromOutput ? a : z, (fromOutput ? aFrom : zFrom) + done, input, length);
      double[] product = tile(delta, deltaFrom + done, output, length);
      timesDerivativeOfTile(f, in, product, length);
      putBack(product, delta, deltaFrom + done, length);
    }
  }

  /** y = e^x, over the whole range; y may be x itself, at the same place. */
  void exp(double[] from, int xFrom, double[] to, int yFrom, int count) {
    for (int done = 0; done < count; done += TILE) {
      int length = Math.min(TILE, count - done);
      expOfTile(tile(from, xFrom + done, input, length), output, length);
      putBack(output, to, yFrom + done, length);
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

  /** What lies from an index on as an array's beginning: the array itself, or a copy of so much. */
  private static double[] tile(double[] array, int from, double[] copy, int length) {
    if (from == 0) {
      return array;
    }
    System.arraycopy(array, from, copy, 0, length);
    return copy;
  }

  private static void putBack(double[] tile, double[] array, int from, int length) {
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

  /** y = f(x). */
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
        Exponential.reduce(x, -Exponential.ALONE, 0, powers, fractions, length);
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
        Exponential.reduceSize(x, powers, fractions, length);
        Exponential.raise(powers, fractions, length);
        Logistic.siluTailSlopes(x, powers, fractions, length);
        Piecewise.timesReflected(x, fractions, y, length);
      }
      default -> timesDerivativeInPlace(f, x, y, 0, length);
    }
  }
}
