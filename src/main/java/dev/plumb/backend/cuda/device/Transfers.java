package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import dev.plumb.model.Bfloat16;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import jcuda.driver.CUdeviceptr;

/**
 * Copies numbers between Java arrays and the device, in pieces through one page-locked buffer, and converts doubles to the
 * session's precision. Every method waits for its copy, and therefore for all work enqueued before it.
 */
public final class Transfers {
  private static final int BUFFER_BYTES = 1 << 20;

  private final CudaContext context;
  private final FactorFormat format;
  private final HostMemory buffer;
  private final boolean single;

  /** Allocates the buffer. */
  public Transfers(CudaContext context, Precision precision) {
    this.context = context;
    format = FactorFormat.of(precision);
    single = precision != Precision.FP64;
    buffer = new HostMemory(context, "transfers", BUFFER_BYTES);
  }

  /** Returns the size in bytes of one number on the device. */
  public static int bytesOf(Precision precision) {
    return precision == Precision.FP64 ? Double.BYTES : Float.BYTES;
  }

  /** Copies all values to the device. */
  public void upload(double[] values, CUdeviceptr to) {
    upload(values, 0, values.length, to);
  }

  /** Copies {@code length} values, from index {@code from} on, to the device. */
  public void upload(double[] values, int from, int length, CUdeviceptr to) {
    int size = single ? Float.BYTES : Double.BYTES;
    inPieces(length, size, (first, count) -> {
      if (single) {
        FloatBuffer floats = buffer.bytes().asFloatBuffer();
        for (int i = 0; i < count; i++) {
          floats.put(i, (float) values[from + first + i]);
        }
      } else {
        buffer.bytes().asDoubleBuffer().put(0, values, from + first, count);
      }
      toDevice(to, (long) first * size, (long) count * size);
    });
  }

  /**
   * Copies data to the device. They must be finite in the session's precision.
   *
   * @throws InvalidInputException when a value is too large for single precision
   */
  public void uploadData(double[] values, CUdeviceptr to) {
    for (double value : values) {
      if (single && Float.isInfinite((float) value)) {
        throw new InvalidInputException("the data contain " + value
            + ", which is too large for single precision; scale the column, or use --precision fp64");
      }
    }
    upload(values, to);
  }

  /**
   * Copies rows of features to the device as factors of products. They must be finite in that format.
   *
   * @param values [rows x columns]
   * @throws InvalidInputException when a value is too large for the format
   */
  public void uploadFeatures(double[] values, int columns, CUdeviceptr to) {
    if (!format.isRounded()) {
      uploadData(values, to);
      return;
    }
    for (double value : values) {
      if (Float.isInfinite(Bfloat16.rounded(value))) {
        throw new InvalidInputException("the data contain " + value
            + ", which is too large for bf16; scale the column, or use --precision fp32 or fp64");
      }
    }
    double[] padded = format.pad(values, columns);
    uploadFactors(padded, 0, padded.length, to);
  }

  /** Copies {@code length} values, from index {@code from} on, to the device as factors of products. */
  public void uploadFactors(double[] values, int from, int length, CUdeviceptr to) {
    if (!format.isRounded()) {
      upload(values, from, length, to);
      return;
    }
    inPieces(length, Bfloat16.BYTES, (first, count) -> {
      ShortBuffer rounded = buffer.bytes().asShortBuffer();
      for (int i = 0; i < count; i++) {
        rounded.put(i, Bfloat16.bits((float) values[from + first + i]));
      }
      toDevice(to, (long) first * Bfloat16.BYTES, (long) count * Bfloat16.BYTES);
    });
  }

  /** Copies ints to the device. */
  public void upload(int[] values, CUdeviceptr to) {
    inPieces(values.length, Integer.BYTES, (first, count) -> {
      buffer.bytes().asIntBuffer().put(0, values, first, count);
      toDevice(to, (long) first * Integer.BYTES, (long) count * Integer.BYTES);
    });
  }

  /** Copies longs to the device. */
  public void upload(long[] values, CUdeviceptr to) {
    inPieces(values.length, Long.BYTES, (first, count) -> {
      buffer.bytes().asLongBuffer().put(0, values, first, count);
      toDevice(to, (long) first * Long.BYTES, (long) count * Long.BYTES);
    });
  }

  /** Copies numbers of the session's precision from the device. */
  public void download(CUdeviceptr from, double[] values) {
    if (!single) {
      downloadDoubles(from, values);
      return;
    }
    inPieces(values.length, Float.BYTES, (first, count) -> {
      toHost(from, (long) first * Float.BYTES, (long) count * Float.BYTES);
      for (int i = 0; i < count; i++) {
        values[first + i] = buffer.bytes().getFloat(i * Float.BYTES);
      }
    });
  }

  /** Copies factors of products from the device. */
  public void downloadFactors(CUdeviceptr from, double[] values) {
    if (!format.isRounded()) {
      download(from, values);
      return;
    }
    inPieces(values.length, Bfloat16.BYTES, (first, count) -> {
      toHost(from, (long) first * Bfloat16.BYTES, (long) count * Bfloat16.BYTES);
      for (int i = 0; i < count; i++) {
        values[first + i] = Bfloat16.value(buffer.bytes().getShort(i * Bfloat16.BYTES));
      }
    });
  }

  /** Copies numbers that are doubles in every precision from the device. */
  public void downloadDoubles(CUdeviceptr from, double[] values) {
    inPieces(values.length, Double.BYTES, (first, count) -> {
      toHost(from, (long) first * Double.BYTES, (long) count * Double.BYTES);
      buffer.bytes().asDoubleBuffer().get(0, values, first, count);
    });
  }

  /** Copies longs from the device. */
  public void download(CUdeviceptr from, long[] values) {
    inPieces(values.length, Long.BYTES, (first, count) -> {
      toHost(from, (long) first * Long.BYTES, (long) count * Long.BYTES);
      buffer.bytes().asLongBuffer().get(0, values, first, count);
    });
  }

  private interface Piece {
    void copy(int first, int count);
  }

  private static void inPieces(int length, int bytesOfOne, Piece piece) {
    int max = BUFFER_BYTES / bytesOfOne;
    for (int first = 0; first < length; first += max) {
      piece.copy(first, Math.min(max, length - first));
    }
  }

  private void toDevice(CUdeviceptr to, long offset, long bytes) {
    context.call(() -> "copying " + bytes + " bytes to the device", () -> {
      cuMemcpyHtoDAsync(to.withByteOffset(offset), buffer.pointer(0), bytes, context.stream());
      cuStreamSynchronize(context.stream());
    });
  }

  private void toHost(CUdeviceptr from, long offset, long bytes) {
    context.call(() -> "copying " + bytes + " bytes from the device", () -> {
      cuMemcpyDtoHAsync(buffer.pointer(0), from.withByteOffset(offset), bytes, context.stream());
      cuStreamSynchronize(context.stream());
    });
  }

  /** Returns the release of the buffer. */
  public Runnable release() {
    return buffer.release();
  }
}
