package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Header of NumPy's NPY format (NEP 1), versions 1 to 3: magic bytes, two version bytes, the length of the header (2 bytes, 4
 * from version 2 on, little-endian), the header, a Python dictionary with descr, fortran_order and shape, then the numbers.
 */
public final class NpyFormat {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  /** Limit far above the headers that NumPy writes. */
  private static final int MAX_HEADER_BYTES = 1 << 16;
  private static final int MAX_SHOWN = 200;
  private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([<>|=]?)(\\w+)'");
  private static final Pattern FORTRAN_ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9L,\\s]*)\\)");

  /** Alignment of the first number in NumPy's files, in bytes. */
  private static final int ALIGNMENT = 64;

  private NpyFormat() {}

  /**
   * Returns everything before the numbers of an array in C order, in version 1.
   *
   * @param descr NumPy's name of the type: {@code <f8}
   * @param shape empty for a single value
   * @return the bytes
   */
  public static byte[] header(String descr, List<Integer> shape) {
    String lengths = shape.stream().map(length -> length + ",").collect(Collectors.joining(" ", "(", ")"));
    String dictionary = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + lengths + ", }";
    int before = MAGIC.length + 2 + Short.BYTES;
    int start = (before + dictionary.length() + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    String padded = dictionary + " ".repeat(start - before - dictionary.length() - 1) + "\n";
    return ByteBuffer.allocate(start).order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) padded.length())
        .put(padded.getBytes(StandardCharsets.US_ASCII)).array();
  }

  static boolean isOf(ByteSource source) {
    return source.startsWith(0x93, 'N', 'U', 'M', 'P', 'Y');
  }

  /** Reads the header, up to the first number. */
  static NumberArray.Header readHeader(InputStream in) throws IOException {
    byte[] start = exactly(in, MAGIC.length + 2);
    if (!Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new InvalidInputException("is not an NPY file");
    }
    int version = start[MAGIC.length];
    if (version < 1 || version > 3) {
      throw new InvalidInputException("has NPY version " + version + "; versions 1 to 3 are supported");
    }
    ByteBuffer length = ByteBuffer.wrap(exactly(in, version == 1 ? 2 : 4)).order(ByteOrder.LITTLE_ENDIAN);
    long bytes = version == 1 ? length.getShort() & 0xFFFF : length.getInt() & 0xFFFFFFFFL;
    if (bytes > MAX_HEADER_BYTES) {
      throw new InvalidInputException("has a header of " + bytes + " bytes; the maximum is " + MAX_HEADER_BYTES);
    }
    String header = new String(exactly(in, (int) bytes), version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
    Matcher descr = DESCR.matcher(header);
    Matcher order = FORTRAN_ORDER.matcher(header);
    Matcher shape = SHAPE.matcher(header);
    if (!order.find() || !shape.find()) {
      String shown = header.strip();
      throw new InvalidInputException(
          "has an invalid NPY header: " + shown.substring(0, Math.min(shown.length(), MAX_SHOWN)));
    }
    if (!descr.find()) {
      throw new InvalidInputException("has records instead of numbers; save an array of one dtype");
    }
    long[] lengths = Arrays.stream(shape.group(1).split(",")).map(word -> word.strip().replace("L", ""))
        .filter(word -> !word.isEmpty()).mapToLong(NpyFormat::dimension).toArray();
    return new NumberArray.Header(type(descr.group(2)), descr.group(1).equals(">") ? ByteOrder.BIG_ENDIAN
        : ByteOrder.LITTLE_ENDIAN, lengths, order.group(1).equals("True"));
  }

  private static NumberType type(String descr) {
    for (NumberType type : NumberType.values()) {
      // U1 is a string of one character, u1 a byte.
      if (type.name().toLowerCase(Locale.ROOT).equals(descr)) {
        return type;
      }
    }
    char kind = descr.charAt(0);
    throw new InvalidInputException("has "
        + (kind == 'U' || kind == 'S' ? "strings" : kind == 'O' ? "Python objects" : "numbers of dtype " + descr)
        + "; save integers or floats of 4 or 8 bytes" + (kind == 'f' ? ": astype('float32')" : ""));
  }

  private static long dimension(String word) {
    try {
      return Long.parseLong(word);
    } catch (NumberFormatException e) {
      throw new InvalidInputException("has an invalid NPY header: a length of " + word, e);
    }
  }

  private static byte[] exactly(InputStream in, int bytes) throws IOException {
    byte[] read = in.readNBytes(bytes);
    if (read.length < bytes) {
      throw new InvalidInputException("ends within its NPY header; the file is not complete");
    }
    return read;
  }
}
