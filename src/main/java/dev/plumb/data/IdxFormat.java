package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Header of the IDX format, in which MNIST is distributed: two zero bytes, one byte for the type, one for the number of
 * dimensions, 4 bytes for the length of each, then the numbers; all big-endian.
 */
final class IdxFormat {
  private static final int[] KINDS = {0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};
  private static final NumberType[] TYPES =
      {NumberType.U1, NumberType.I1, NumberType.I2, NumberType.I4, NumberType.F4, NumberType.F8};

  private IdxFormat() {}

  static boolean isOf(ByteSource source) {
    for (int kind : KINDS) {
      if (source.startsWith(0, 0, kind)) {
        return true;
      }
    }
    return false;
  }

  /** Reads the header, up to the first number. The start of the stream has been checked by {@link #isOf}. */
  static NumberArray.Header readHeader(InputStream in) throws IOException {
    byte[] start = in.readNBytes(4);
    int dimensions = start.length < 4 ? 0 : start[3] & 0xFF;
    byte[] lengths = in.readNBytes(4 * dimensions);
    if (dimensions < 1 || lengths.length < 4 * dimensions) {
      throw new InvalidInputException("ends within its IDX header; the file is not complete");
    }
    long[] shape = new long[dimensions];
    ByteBuffer numbers = ByteBuffer.wrap(lengths);
    for (int i = 0; i < dimensions; i++) {
      shape[i] = numbers.getInt() & 0xFFFFFFFFL;
    }
    int kind = 0;
    while (KINDS[kind] != start[2]) {
      kind++;
    }
    return new NumberArray.Header(TYPES[kind], ByteOrder.BIG_ENDIAN, shape, false);
  }
}
