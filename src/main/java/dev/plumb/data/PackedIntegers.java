package dev.plumb.data;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Immutable list of integers, each in the same number of bytes: the smallest from 1 to 8 that holds all of them. The integers are
 * little-endian two's complements one after the other, so that a value is read by one unaligned access and two shifts.
 */
final class PackedIntegers {
  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] bytes;
  private final int width;
  /** Number of upper bits of an 8-byte word that do not belong to a value. */
  private final int shift;

  /**
   * Packs integers.
   *
   * @param values of which the first ones are packed
   * @param count number of values
   */
  PackedIntegers(long[] values, int count) {
    long used = 0;
    for (int i = 0; i < count; i++) {
      // The bits that differ from the sign.
      used |= values[i] ^ (values[i] >> (Long.SIZE - 1));
    }
    width = (Long.SIZE - Long.numberOfLeadingZeros(used)) / Byte.SIZE + 1;
    shift = Long.SIZE - Byte.SIZE * width;
    bytes = new byte[count * width + Long.BYTES - width];
    // In ascending order: the upper bytes of a word are overwritten by the next value.
    for (int i = 0; i < count; i++) {
      LONG.set(bytes, i * width, values[i]);
    }
  }

  long get(int index) {
    return (long) LONG.get(bytes, index * width) << shift >> shift;
  }

  /** Returns the number of bytes per value. */
  int width() {
    return width;
  }
}
