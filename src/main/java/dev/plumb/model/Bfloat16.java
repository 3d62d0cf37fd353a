package dev.plumb.model;

/**
 * The format bfloat16: the upper half of an IEEE single-precision number, with its range and 8 significant bits. Numbers are
 * rounded to nearest, ties to even.
 */
public final class Bfloat16 {
  /** The size in bytes. */
  public static final int BYTES = 2;
  /** The largest finite number. */
  public static final float MAX_VALUE = 0x1.FEp127f;
  /** Half the distance from 1 to the next number: the largest relative error of rounding. */
  public static final double ROUNDOFF = 0x1p-8;

  private static final short QUIET_NAN = 0x7FC0;
  private static final int LOWER_BITS = 16;

  private Bfloat16() {}

  /** Returns the bits of a number, rounded; numbers that round to more than {@link #MAX_VALUE} become infinite. */
  public static short bits(float value) {
    if (Float.isNaN(value)) {
      return QUIET_NAN;
    }
    int bits = Float.floatToRawIntBits(value);
    // Adds just less than half of the last kept bit's value, and a tie goes up if the kept bits are odd.
    int halfUp = (1 << LOWER_BITS - 1) - 1 + (bits >>> LOWER_BITS & 1);
    return (short) (bits + halfUp >>> LOWER_BITS);
  }

  /** Returns the number that has these bits. */
  public static float value(short bits) {
    return Float.intBitsToFloat(bits << LOWER_BITS);
  }

  /** Returns a number rounded to single precision and then to bfloat16, as a device stores it. */
  public static float rounded(double value) {
    return value(bits((float) value));
  }
}
