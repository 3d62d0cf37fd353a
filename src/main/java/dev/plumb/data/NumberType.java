package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Element types of arrays in files: floats, signed and unsigned integers, and booleans, with their size in bytes. In memory they
 * have the same size. 8-byte integers are rounded to doubles as numbers and exact as texts.
 */
enum NumberType {
  F4(4), F8(8), I1(1), I2(2), I4(4), I8(8), U1(1), U2(2), U4(4), U8(8), B1(1);

  private final int bytes;

  NumberType(int bytes) {
    this.bytes = bytes;
  }

  /** Returns the size of an element in bytes. */
  int bytes() {
    return bytes;
  }

  /** Returns whether an element can be infinite. */
  boolean isFloat() {
    return this == F4 || this == F8;
  }

  /**
   * Reads numbers.
   *
   * @throws InvalidInputException when the stream ends early
   */
  NumberArray.Cells read(InputStream in, int count, ByteOrder order) throws IOException {
    Held held = new Held(this, count);
    for (int i = 0; i < held.chunks.length; i++) {
      int done = i << Held.SHIFT;
      int wanted = Math.min(count - done, Held.CHUNK);
      byte[] chunk = new byte[wanted * bytes];
      int read = in.readNBytes(chunk, 0, chunk.length);
      requireAll(done + read / bytes, read == chunk.length ? done + wanted : count);
      if (order != Held.ORDER) {
        swap(chunk);
      }
      held.chunks[i] = chunk;
    }
    return held;
  }

  private void swap(byte[] chunk) {
    ByteBuffer from = ByteBuffer.wrap(chunk).order(ByteOrder.BIG_ENDIAN);
    ByteBuffer to = ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < chunk.length && bytes > 1; at += bytes) {
      switch (bytes) {
        case 2 -> to.putShort(at, from.getShort(at));
        case 4 -> to.putInt(at, from.getInt(at));
        default -> to.putLong(at, from.getLong(at));
      }
    }
  }

  /** Numbers in chunks of bytes, little-endian. */
  private static final class Held implements NumberArray.Cells {
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int SHIFT = 15;
    private static final int CHUNK = 1 << SHIFT;
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ORDER);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ORDER);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ORDER);
    private static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ORDER);
    private static final VarHandle DOUBLE = MethodHandles.byteArrayViewVarHandle(double[].class, ORDER);

    private final NumberType type;
    private final int bytes;
    private final byte[][] chunks;

    Held(NumberType type, int count) {
      this.type = type;
      bytes = type.bytes;
      chunks = new byte[(count - 1) / CHUNK + 1][];
    }

    @Override
    public double number(int cell) {
      byte[] chunk = chunks[cell >> SHIFT];
      int at = cell & (CHUNK - 1);
      return switch (type) {
        case U1, B1 -> chunk[at] & 0xFF;
        case I1 -> chunk[at];
        case I2 -> (short) SHORT.get(chunk, 2 * at);
        case U2 -> (short) SHORT.get(chunk, 2 * at) & 0xFFFF;
        case I4 -> (int) INT.get(chunk, 4 * at);
        case U4 -> (int) INT.get(chunk, 4 * at) & 0xFFFFFFFFL;
        case F4 -> (float) FLOAT.get(chunk, 4 * at);
        case F8 -> (double) DOUBLE.get(chunk, 8 * at);
        case I8 -> (long) LONG.get(chunk, 8 * at);
        case U8 -> unsigned((long) LONG.get(chunk, 8 * at));
      };
    }

    @Override
    public String text(int cell) {
      return switch (type) {
        case I8 -> Long.toString((long) LONG.get(chunks[cell >> SHIFT], 8 * (cell & (CHUNK - 1))));
        case U8 -> Long.toUnsignedString((long) LONG.get(chunks[cell >> SHIFT], 8 * (cell & (CHUNK - 1))));
        default -> NumberArray.Cells.super.text(cell);
      };
    }

    @Override
    public int width() {
      return bytes;
    }

    @Override
    public void discard(int from, int to) {
      Arrays.fill(chunks, from >> SHIFT, to >> SHIFT, null);
    }

    @Override
    public NumberArray.Cells copy(int first, int step, int count) {
      Held copy = new Held(type, count);
      for (int i = 0; i < count; i++) {
        if ((i & (CHUNK - 1)) == 0) {
          copy.chunks[i >> SHIFT] = new byte[Math.min(CHUNK, count - i) * bytes];
        }
        int cell = first + i * step;
        System.arraycopy(chunks[cell >> SHIFT], (cell & (CHUNK - 1)) * bytes, copy.chunks[i >> SHIFT], (i & (CHUNK - 1)) * bytes,
            bytes);
      }
      return copy;
    }

    /** Returns the nearest double of an unsigned long: half of it, with the lost bit as sticky bit, rounds the same way. */
    private static double unsigned(long bits) {
      return bits >= 0 ? bits : 2.0 * ((bits >>> 1) | (bits & 1));
    }
  }

  private static void requireAll(int read, int wanted) {
    if (read < wanted) {
      throw new InvalidInputException("ends after " + read + " of " + wanted + " numbers; the file is not complete");
    }
  }
}
