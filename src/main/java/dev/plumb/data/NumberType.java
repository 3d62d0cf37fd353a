package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Element types of arrays in files: floats, signed and unsigned integers, and booleans, with their size in bytes. In memory they
 * are stored in the narrowest of byte, float, double and long that represents them all. 8-byte integers are rounded to doubles as
 * numbers and exact as texts.
 */
enum NumberType {
  F4(4, 4), F8(8, 8), I1(1, 4), I2(2, 4), I4(4, 8), I8(8, 8), U1(1, 1), U2(2, 4), U4(4, 8), U8(8, 8), B1(1, 1);

  private static final int BLOCK = 1 << 16;

  private final int bytes;
  private final int heldBytes;

  NumberType(int bytes, int heldBytes) {
    this.bytes = bytes;
    this.heldBytes = heldBytes;
  }

  /** Returns the size of an element in a file. */
  int bytes() {
    return bytes;
  }

  /** Returns the size of an element in memory. */
  int heldBytes() {
    return heldBytes;
  }

  /**
   * Reads numbers.
   *
   * @throws InvalidInputException when the stream ends early
   */
  NumberArray.Cells read(InputStream in, int count, ByteOrder order) throws IOException {
    if (heldBytes == 1) {
      byte[] held = new byte[count];
      requireAll(in.readNBytes(held, 0, count), count);
      return cell -> held[cell] & 0xFF;
    }
    boolean isLong = this == I8 || this == U8;
    float[] floats = heldBytes == 4 ? new float[count] : null;
    long[] longs = isLong ? new long[count] : null;
    double[] doubles = heldBytes == 8 && !isLong ? new double[count] : null;
    ByteBuffer block = ByteBuffer.allocate(BLOCK).order(order);
    for (int done = 0; done < count; ) {
      int wanted = Math.min(count - done, BLOCK / bytes);
      int read = in.readNBytes(block.array(), 0, wanted * bytes);
      requireAll(done + read / bytes, read == wanted * bytes ? done + wanted : count);
      block.clear();
      for (int i = 0; i < wanted; i++, done++) {
        if (floats != null) {
          floats[done] = (float) next(block);
        } else if (longs != null) {
          longs[done] = block.getLong();
        } else {
          doubles[done] = next(block);
        }
      }
    }
    if (longs != null) {
      return new Longs(longs, this == U8);
    }
    return floats != null ? cell -> floats[cell] : cell -> doubles[cell];
  }

  private record Longs(long[] held, boolean isUnsigned) implements NumberArray.Cells {
    @Override
    public double number(int cell) {
      return isUnsigned ? unsigned(held[cell]) : held[cell];
    }

    @Override
    public String text(int cell) {
      return isUnsigned ? Long.toUnsignedString(held[cell]) : Long.toString(held[cell]);
    }
  }

  private double next(ByteBuffer block) {
    return switch (this) {
      case F4 -> block.getFloat();
      case F8 -> block.getDouble();
      case I1 -> block.get();
      case I2 -> block.getShort();
      case I4 -> block.getInt();
      case U1, B1 -> block.get() & 0xFF;
      case U2 -> block.getShort() & 0xFFFF;
      case U4 -> block.getInt() & 0xFFFFFFFFL;
      case I8, U8 -> throw new IllegalStateException("8-byte integers are read as longs");
    };
  }

  /** Returns the nearest double of an unsigned long: half of it, with the lost bit as sticky bit, rounds the same way. */
  private static double unsigned(long bits) {
    return bits >= 0 ? bits : 2.0 * ((bits >>> 1) | (bits & 1));
  }

  private static void requireAll(int read, int wanted) {
    if (read < wanted) {
      throw new InvalidInputException("ends after " + read + " of " + wanted + " numbers; the file is not complete");
    }
  }
}
