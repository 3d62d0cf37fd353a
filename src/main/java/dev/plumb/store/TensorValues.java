package dev.plumb.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Values of tensors as bytes: little-endian, row-major, without gaps, in all formats. */
final class TensorValues {
  private static final int CHUNK_BYTES = 1 << 16;

  private TensorValues() {}

  static void write(Tensor tensor, OutputStream out) throws IOException {
    int bytes = tensor.type().bytes();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int first = 0; first < tensor.size(); first += CHUNK_BYTES / bytes) {
      put(tensor, first, Math.min(tensor.size() - first, CHUNK_BYTES / bytes), chunk.clear());
      out.write(chunk.array(), 0, chunk.position());
    }
  }

  /**
   * Reads a tensor at the stream's position.
   *
   * @throws IOException also when the stream ends early
   */
  static Tensor read(SafetensorsHeader.Entry entry, InputStream in) throws IOException {
    int bytes = entry.type().bytes();
    double[] reals = new double[entry.type().isReal() ? entry.size() : 0];
    long[] integers = new long[entry.type().isReal() ? 0 : entry.size()];
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int first = 0; first < entry.size(); first += CHUNK_BYTES / bytes) {
      int count = Math.min(entry.size() - first, CHUNK_BYTES / bytes);
      if (in.readNBytes(chunk.array(), 0, count * bytes) < count * bytes) {
        throw new IOException("it was truncated while it was read");
      }
      get(entry.type(), chunk.clear(), first, count, reals, integers);
    }
    return entry.type().isReal()
        ? new Tensor.Reals(entry.name(), entry.type(), entry.shape(), reals)
        : new Tensor.Integers(entry.name(), entry.type(), entry.shape(), integers);
  }

  private static void put(Tensor tensor, int first, int count, ByteBuffer chunk) {
    double[] reals = tensor instanceof Tensor.Reals real ? real.values() : null;
    long[] integers = tensor instanceof Tensor.Integers integer ? integer.values() : null;
    switch (tensor.type()) {
      case F64 -> {
        for (int i = first; i < first + count; i++) {
          chunk.putDouble(reals[i]);
        }
      }
      case F32 -> {
        for (int i = first; i < first + count; i++) {
          chunk.putFloat((float) reals[i]);
        }
      }
      case I64 -> {
        for (int i = first; i < first + count; i++) {
          chunk.putLong(integers[i]);
        }
      }
      case I32 -> {
        for (int i = first; i < first + count; i++) {
          chunk.putInt((int) integers[i]);
        }
      }
    }
  }

  private static void get(Tensor.Type type, ByteBuffer chunk, int first, int count, double[] reals, long[] integers) {
    switch (type) {
      case F64 -> {
        for (int i = first; i < first + count; i++) {
          reals[i] = chunk.getDouble();
        }
      }
      case F32 -> {
        for (int i = first; i < first + count; i++) {
          reals[i] = chunk.getFloat();
        }
      }
      case I64 -> {
        for (int i = first; i < first + count; i++) {
          integers[i] = chunk.getLong();
        }
      }
      case I32 -> {
        for (int i = first; i < first + count; i++) {
          integers[i] = chunk.getInt();
        }
      }
    }
  }
}
