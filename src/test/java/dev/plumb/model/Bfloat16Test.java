package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bfloat16Test {
  private static final int NUMBERS = 1 << 16;

  @Test
  void everyNumberKeepsItsBits() {
    for (int bits = 0; bits < NUMBERS; bits++) {
      float value = Bfloat16.value((short) bits);
      if (!Float.isNaN(value)) {
        assertEquals((short) bits, Bfloat16.bits(value), "bits " + Integer.toHexString(bits));
      }
    }
  }

  /** Compares with the definition, in double precision: the nearer neighbor, or the one with the even last bit. */
  @Test
  void numbersAreRoundedToTheNearerNeighbor() {
    SplittableRandom random = new SplittableRandom(20240607);
    for (int i = 0; i < 1_000_000; i++) {
      // Every fourth number is a tie.
      int bits = i % 4 == 0 ? random.nextInt() & 0xFFFF_0000 | 0x8000 : random.nextInt();
      float value = Float.intBitsToFloat(bits);
      if (!Float.isFinite(value)) {
        continue;
      }
      int lower = bits >>> 16;
      double below = magnitude(lower);
      double above = magnitude(lower + 1);
      double toBelow = Math.abs((double) value) - below;
      double toAbove = above - Math.abs((double) value);
      int expected = toBelow < toAbove || toBelow == toAbove && lower % 2 == 0 ? lower : lower + 1;
      assertEquals((short) expected, Bfloat16.bits(value), "of " + value);
    }
  }

  /** Returns the absolute value of a number, where infinity counts as the next power of 2. */
  private static double magnitude(int bits) {
    float value = Math.abs(Bfloat16.value((short) bits));
    return Float.isInfinite(value) ? 0x1p128 : value;
  }

  @ParameterizedTest
  @CsvSource({
    "1.00390625, 1", "1.01171875, 1.015625", "1.00390637, 1.0078125", "-1.00390625, -1", "0, 0", "1e-45, 0", "3.3895314e38, 3.3895314e38",
    "3.4e38, Infinity", "-3.4e38, -Infinity", "Infinity, Infinity", "1e300, Infinity", "NaN, NaN",
  })
  void roundsToNearestAndTiesToEven(double value, float expected) {
    assertEquals(expected, Bfloat16.rounded(value));
  }

  @Test
  void nanWhoseUpperBitsAreThoseOfInfinityStaysNan() {
    assertTrue(Float.isNaN(Bfloat16.value(Bfloat16.bits(Float.intBitsToFloat(0x7F80_0001)))));
  }

  @Test
  void constantsAreThoseOfTheFormat() {
    assertEquals(Bfloat16.MAX_VALUE, Bfloat16.value((short) 0x7F7F));
    assertEquals(2 * Bfloat16.ROUNDOFF, Bfloat16.value((short) 0x3F81) - 1.0);
  }
}
