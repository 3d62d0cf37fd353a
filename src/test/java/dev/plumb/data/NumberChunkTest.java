package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packed numbers have the bits that they were parsed to, in as few bytes as their digits need. */
class NumberChunkTest {
  private static final long SEED = 7;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 6, 9, 12, 15, 17, 22, 25})
  void randomDecimalTextsKeepTheirBits(int digitsAfterPoint) {
    Random random = new Random(SEED + digitsAfterPoint);
    for (int round = 0; round < 200; round++) {
      int digitsBefore = random.nextInt(12);
      double[] numbers = new double[1 + random.nextInt(200)];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = random.nextInt(20) == 0 ? Double.NaN
            : Double.parseDouble(text(random, random.nextInt(digitsBefore + 1), random.nextInt(digitsAfterPoint + 1)));
      }
      assertSameBits(numbers);
    }
  }

  @Test
  void doublesOfAnyBitsKeepThem() {
    Random random = new Random(SEED);
    for (DoubleSupplier source : new DoubleSupplier[] {
        random::nextGaussian, () -> (float) random.nextGaussian(), () -> random.nextLong(), () -> random.nextInt() / 8.0,
        () -> finite(random.nextLong()), () -> Math.scalb(random.nextDouble(), -1070), () -> random.nextInt(3) - 1}) {
      assertSameBits(random.doubles(500).map(x -> source.getAsDouble()).toArray());
    }
  }

  @Test
  void extremesKeepTheirBits() {
    double exact = 1L << 53;
    for (double number : new double[] {0, -0.0, 1, -1, 127, 128, -128, -129, 32767, -32768, 32768, Integer.MIN_VALUE, 1L << 47,
        (1L << 47) - 1, -(1L << 47), exact - 1, exact, exact + 2, -exact, 1e22, 1e23, 1e-22, 1e-23, Double.MIN_VALUE, Double.MAX_VALUE,
        -Double.MAX_VALUE, 0.1, 0.3, 1 / 3.0, 9007199254740.993, 4503599627370495.5, Double.NaN}) {
      assertSameBits(number);
      assertSameBits(number, Double.NaN);
      assertSameBits(0.5, number, -7);
      assertSameBits(number, 1e-9, 1e9);
    }
  }

  @ParameterizedTest
  @CsvSource({"127, 1", "-128, 1", "128, 2", "32767, 2", "32768, 3", "8388607, 3", "8388608, 4", "2147483648, 5", "1e12, 6",
      "1e15, 8", "12.7, 1", "12.8, 2", "0.001, 1", "3.14159, 3", "-0.0, 8", "0.12345678901234567, 8", "1e-30, 8"})
  void widthFollowsFromTheDigits(double number, int bytes) {
    assertEquals(bytes, NumberChunk.of(new double[] {number, 0}, 2, new long[2]).width(), Double.toString(number));
  }

  @Test
  void aMissingValueDoesNotCollideWithTheSmallestNumber() {
    assertSameBits(127, -127, Double.NaN);
    assertSameBits(-128, Double.NaN);
    assertSameBits(-32768, Double.NaN, 32767);
    assertSameBits(Double.NaN, Double.NaN);
    assertEquals(1, NumberChunk.of(new double[] {Double.NaN, 127}, 2, new long[2]).width());
  }

  @Test
  void aColumnWidensWhereItsNumbersDo() {
    ColumnValues.Doubles column = new ColumnValues.Doubles();
    Random random = new Random(SEED);
    double[] numbers = new double[5000];
    for (int row = 0; row < numbers.length; row++) {
      numbers[row] = row < 2000 ? row % 100 : row < 3500 ? Math.round(1e6 * random.nextGaussian()) / 1e6 : random.nextGaussian();
      column.add(numbers[row]);
      assertEquals(numbers[row], column.get(row));
    }
    for (int row = 0; row < numbers.length; row++) {
      assertEquals(numbers[row], column.get(row), "row " + row);
    }
    assertTrue(column.width() > 1 && column.width() < 8, "width " + column.width());
  }

  @Test
  void packedIntegersAreReadBack() {
    Random random = new Random(SEED);
    for (int bits = 0; bits < 64; bits++) {
      int shift = bits;
      long[] values = random.longs(100).map(value -> value >> shift).toArray();
      PackedIntegers packed = new PackedIntegers(values, values.length);
      for (int i = 0; i < values.length; i++) {
        assertEquals(values[i], packed.get(i), "shift " + shift);
      }
      assertTrue(packed.width() <= (64 - bits + 7) / 8, bits + ": " + packed.width());
    }
  }

  private static String text(Random random, int before, int after) {
    StringBuilder text = new StringBuilder(random.nextBoolean() ? "-" : "");
    text.append(random.nextInt(10));
    for (int i = 0; i < before; i++) {
      text.append(random.nextInt(10));
    }
    text.append('.');
    for (int i = 0; i < after; i++) {
      text.append(random.nextInt(10));
    }
    return text.toString();
  }

  private static double finite(long bits) {
    double number = Double.longBitsToDouble(bits);
    return Double.isFinite(number) ? number : 1;
  }

  private static void assertSameBits(double... numbers) {
    NumberChunk chunk = NumberChunk.of(numbers, numbers.length, new long[numbers.length]);
    double[] read = new double[numbers.length];
    Arrays.setAll(read, chunk::get);
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(Double.doubleToLongBits(numbers[i]), Double.doubleToLongBits(read[i]), numbers[i] + " was read as " + read[i]);
    }
  }
}
