package dev.plumb.data;

import java.util.Arrays;

/**
 * Immutable list of numbers without loss of a bit, and smaller than as doubles where that is possible: as integers divided by a
 * common power of ten. Up to 10<sup>22</sup> and 2<sup>53</sup>, powers and integers are exact doubles, so that the quotient is
 * the double next to the decimal number, as it is parsed. NaN, a missing value, is the smallest integer of the width.
 */
final class NumberChunk {
  private static final double[] POWERS = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  private static final double MAX_EXACT = 1L << 53;
  private static final long NEGATIVE_ZERO = Double.doubleToRawLongBits(-0.0);
  /** Width from which on integers save too little to be worth a division. */
  private static final int MAX_WIDTH = 6;

  /** Null if the numbers are {@link #integers}. */
  private final double[] doubles;
  private final PackedIntegers integers;
  private final double scale;
  private final long missing;

  private NumberChunk(double[] doubles, PackedIntegers integers, double scale, long missing) {
    this.doubles = doubles;
    this.integers = integers;
    this.scale = scale;
    this.missing = missing;
  }

  /**
   * Packs numbers.
   *
   * @param numbers finite or NaN; of which the first ones are packed
   * @param count number of numbers
   * @param scratch array of at least that length
   */
  static NumberChunk of(double[] numbers, int count, long[] scratch) {
    int power = commonPower(numbers, count);
    if (power >= 0) {
      long largest = 0;
      boolean hasMissing = false;
      for (int i = 0; i < count; i++) {
        scratch[i] = (long) Math.rint(numbers[i] * POWERS[power]);
        largest = Math.max(largest, Math.abs(scratch[i]));
        hasMissing |= numbers[i] != numbers[i];
      }
      int bits = Long.SIZE - Long.numberOfLeadingZeros(largest) + 1;
      long missing = Long.MIN_VALUE >> (Long.SIZE - (bits + Byte.SIZE - 1) / Byte.SIZE * Byte.SIZE);
      if (hasMissing) {
        for (int i = 0; i < count; i++) {
          scratch[i] = numbers[i] != numbers[i] ? missing : scratch[i];
        }
      }
      if (bits <= MAX_WIDTH * Byte.SIZE) {
        return new NumberChunk(null, new PackedIntegers(scratch, count), POWERS[power], hasMissing ? missing : Long.MIN_VALUE);
      }
    }
    return new NumberChunk(Arrays.copyOf(numbers, count), null, 1, 0);
  }

  /** Returns the smallest power of ten with which all numbers are integers, or -1 if there is none. */
  private static int commonPower(double[] numbers, int count) {
    int power = 0;
    for (int i = 0; i < count; i++) {
      double number = numbers[i];
      if (number != number) {
        continue;
      }
      if (Double.doubleToRawLongBits(number) == NEGATIVE_ZERO) {
        return -1;
      }
      double integer = Math.rint(number * POWERS[power]);
      while (integer / POWERS[power] != number || Math.abs(integer) >= MAX_EXACT) {
        if (++power == POWERS.length || Math.abs(integer) >= MAX_EXACT) {
          return -1;
        }
        integer = Math.rint(number * POWERS[power]);
      }
    }
    // A larger power, which a later number needed, may be too large for an earlier one.
    for (int i = 0; i < count; i++) {
      double integer = Math.rint(numbers[i] * POWERS[power]);
      if (numbers[i] == numbers[i] && (integer / POWERS[power] != numbers[i] || Math.abs(integer) >= MAX_EXACT)) {
        return -1;
      }
    }
    return power;
  }

  double get(int index) {
    if (doubles != null) {
      return doubles[index];
    }
    long integer = integers.get(index);
    return integer == missing ? Double.NaN : integer / scale;
  }

  /** Returns the number of bytes per number. */
  int width() {
    return doubles != null ? Double.BYTES : integers.width();
  }
}
