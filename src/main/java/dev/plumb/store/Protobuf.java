package dev.plumb.store;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Message in the wire format of protocol buffers, written field by field, for ONNX models and TensorBoard events. The few
 * messages that Plumb writes use the field numbers of the published definitions directly; generated classes and their library
 * would be many times the size of this class.
 */
final class Protobuf {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Adds a field of type int32, int64 or enum. */
  Protobuf number(int field, long value) {
    tag(field, VARINT);
    varint(value);
    return this;
  }

  /** Adds a field of type double. */
  Protobuf real64(int field, double value) {
    tag(field, FIXED64);
    little(Double.doubleToRawLongBits(value), Double.BYTES);
    return this;
  }

  /** Adds a field of type float. */
  Protobuf real32(int field, float value) {
    tag(field, FIXED32);
    little(Float.floatToRawIntBits(value), Float.BYTES);
    return this;
  }

  Protobuf text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  Protobuf bytes(int field, byte[] value) {
    tag(field, LENGTH_DELIMITED);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  Protobuf message(int field, Protobuf value) {
    return bytes(field, value.toBytes());
  }

  byte[] toBytes() {
    return out.toByteArray();
  }

  private void tag(int field, int wireType) {
    varint((long) field << 3 | wireType);
  }

  /** Writes seven bits per byte, the lowest first; the top bit marks that more follow. */
  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private void little(long bits, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (bits >>> 8 * i));
    }
  }
}
