package dev.plumb.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damaged copies of valid files, and texts of pieces that mean something to a reader. */
public final class Mutations {
  private static final int MAX_BYTES = 1 << 18;
  private static final long[] NUMBERS = {0, 1, -1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 24, Integer.MAX_VALUE - 8,
      Integer.MAX_VALUE, 1L + Integer.MAX_VALUE, 0xFFFFFFFFL, 1L << 32, 1L << 53, Long.MAX_VALUE, Long.MIN_VALUE,
      0x7FF0000000000000L, 0x7FF8000000000000L, 0xFFF0000000000000L, 0x7F800000L, 0x7FC00000L};
  private static final String[] WRITTEN_NUMBERS = {"0", "-0", "1", "-1", "00", "0.1", "1e308", "1e309", "-1e999", "1e-400", "NaN",
      "Infinity", "-inf", "2147483647", "2147483648", "-2147483649", "4294967295", "9007199254740993", "9223372036854775807",
      "9223372036854775808", "18446744073709551616", "1e99999999999", "0x10", "1_000", "1,5", "\u0661\u0662", "123456789".repeat(50)};
  private static final byte[] BYTES = {0, 1, 9, 10, 13, 31, 32, 34, 39, 44, 59, 91, 92, 93, 123, 125, 127, -128, -64, -17, -1};

  private Mutations() {}

  /** Returns one of the files with one change or some: most often one, as a file with many is refused for the first of them. */
  public static byte[] changed(List<byte[]> files, Random random) {
    byte[] file = pick(files, random);
    do {
      file = changedOnce(file, files, random);
    } while (random.nextInt(3) == 0);
    return file.length > MAX_BYTES ? Arrays.copyOf(file, MAX_BYTES) : file;
  }

  /** Returns some of the pieces one after the other, among them written numbers and bytes of any kind. */
  public static byte[] text(Random random, String... pieces) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    // Few different pieces in a row look more like a file than all of them.
    int different = 1 + random.nextInt(pieces.length);
    for (int count = random.nextInt(1 << random.nextInt(10)); count > 0; count--) {
      switch (random.nextInt(40)) {
        case 0 -> text.write(BYTES[random.nextInt(BYTES.length)]);
        case 1, 2 -> text.writeBytes(utf8(writtenNumber(random)));
        case 3 -> text.writeBytes(utf8(pieces[random.nextInt(pieces.length)].repeat(random.nextInt(200))));
        default -> text.writeBytes(utf8(pieces[random.nextInt(different)]));
      }
    }
    return text.toByteArray();
  }

  public static <T> T pick(List<T> items, Random random) {
    return items.get(random.nextInt(items.size()));
  }

  private static byte[] changedOnce(byte[] file, List<byte[]> files, Random random) {
    if (file.length == 0) {
      return randomBytes(random);
    }
    int at = random.nextInt(file.length);
    int length = Math.min(file.length - at, 1 + random.nextInt(1 << random.nextInt(9)));
    return switch (random.nextInt(16)) {
      case 0, 1, 2 -> withByte(file, at, (byte) (file[at] ^ 1 << random.nextInt(8)));
      case 3 -> withByte(file, at, BYTES[random.nextInt(BYTES.length)]);
      case 4 -> Arrays.copyOf(file, at);
      case 5 -> Arrays.copyOfRange(file, at, file.length);
      case 6 -> replaced(file, at, length, new byte[0]);
      case 7 -> replaced(file, at, 0, Arrays.copyOfRange(file, at, at + length));
      case 8 -> replaced(file, at, 0, randomBytes(random));
      case 9 -> replaced(file, at, random.nextBoolean() ? 0 : length, piece(pick(files, random), random));
      case 10 -> replaced(file, random.nextInt(file.length), 0, Arrays.copyOfRange(file, at, at + length));
      case 11 -> withNumber(file, at, random);
      case 12, 13, 14 -> withWrittenNumber(file, at, random);
      default -> replaced(file, at, 0, run(BYTES[random.nextInt(BYTES.length)], random));
    };
  }

  private static byte[] withByte(byte[] file, int at, byte value) {
    byte[] changed = file.clone();
    changed[at] = value;
    return changed;
  }

  /** A binary number of 1, 2, 4 or 8 bytes, whose place may be a multiple of its size. */
  private static byte[] withNumber(byte[] file, int at, Random random) {
    int bytes = 1 << random.nextInt(4);
    int from = random.nextBoolean() ? at / bytes * bytes : at;
    boolean big = random.nextBoolean();
    long number = NUMBERS[random.nextInt(NUMBERS.length)];
    byte[] changed = file.clone();
    for (int i = 0; i < bytes && from + i < file.length; i++) {
      changed[from + i] = (byte) (number >>> 8 * (big ? bytes - 1 - i : i));
    }
    return changed;
  }

  /** In place of the next digits. */
  private static byte[] withWrittenNumber(byte[] file, int at, Random random) {
    int from = at;
    while (from < file.length && !isDigit(file[from])) {
      from++;
    }
    int end = from;
    while (end < file.length && isDigit(file[end])) {
      end++;
    }
    return replaced(file, from, end - from, utf8(writtenNumber(random)));
  }

  private static String writtenNumber(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> Long.toString(NUMBERS[random.nextInt(NUMBERS.length)]);
      case 1 -> Double.toString(random.nextGaussian());
      default -> WRITTEN_NUMBERS[random.nextInt(WRITTEN_NUMBERS.length)];
    };
  }

  private static byte[] piece(byte[] file, Random random) {
    if (file.length == 0) {
      return file;
    }
    int from = random.nextInt(file.length);
    return Arrays.copyOfRange(file, from, from + random.nextInt(file.length - from + 1));
  }

  private static byte[] run(byte value, Random random) {
    byte[] run = new byte[1 + random.nextInt(1 << random.nextInt(18))];
    Arrays.fill(run, value);
    return run;
  }

  private static byte[] randomBytes(Random random) {
    byte[] bytes = new byte[1 + random.nextInt(20)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] replaced(byte[] file, int from, int length, byte[] by) {
    byte[] changed = new byte[file.length - length + by.length];
    System.arraycopy(file, 0, changed, 0, from);
    System.arraycopy(by, 0, changed, from, by.length);
    System.arraycopy(file, from + length, changed, from + by.length, file.length - from - length);
    return changed;
  }

  private static boolean isDigit(byte value) {
    return value >= '0' && value <= '9';
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
