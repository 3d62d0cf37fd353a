package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/**
 * One allocation on the device, cut into named slices. First all slices are reserved, then {@link #allocate} makes them real.
 *
 * <p>With guards every byte starts as 0xFF, which reads as NaN in float and double, and each slice is followed by bytes that must
 * keep that value: who writes past an end is found by {@link #requireGuards}, who reads past it gets NaN.
 */
public final class DeviceArena implements AutoCloseable {
  /** What the driver aligns allocations to; cuBLAS has its fastest kernels for addresses of 16 bytes or more. */
  private static final long ALIGNMENT = 256;
  private static final byte FRESH = (byte) 0xFF;

  /** A named part of the arena, with an address once the arena is allocated. */
  public final class Slice {
    private final String name;
    private final long offset;
    private final long bytes;

    private Slice(String name, long offset, long bytes) {
      this.name = name;
      this.offset = offset;
      this.bytes = bytes;
    }

    public long address() {
      return base.address() + offset;
    }

    public CUdeviceptr pointer() {
      return pointer(0);
    }

    /** @param byteOffset within the slice */
    public CUdeviceptr pointer(long byteOffset) {
      if (byteOffset < 0 || byteOffset >= Math.max(1, bytes)) {
        throw new IndexOutOfBoundsException("byte " + byteOffset + " of the " + bytes + " of " + name);
      }
      return base.withByteOffset(offset + byteOffset);
    }

    /** Enqueues that all its bytes are set to one value. */
    public void fill(byte value) {
      context.call(() -> "filling " + name, () -> cuMemsetD8Async(pointer(), value, bytes, context.stream()));
    }
  }

  /** A device address that can be read as a number, for tables of kernel arguments. */
  private static final class Base extends CUdeviceptr {
    public long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  private final CudaContext context;
  private final String name;
  private final boolean guards;
  private final List<Slice> slices = new ArrayList<>();
  private final Base base = new Base();
  private long size;
  private boolean allocated;

  /** @param name what it is for, in messages */
  public DeviceArena(CudaContext context, String name, boolean guards) {
    this.context = context;
    this.name = name;
    this.guards = guards;
  }

  /** Reserves a slice; bytes may be 0. */
  public Slice reserve(String what, long bytes) {
    if (allocated) {
      throw new IllegalStateException(name + " is allocated already");
    }
    Slice slice = new Slice(what, size, bytes);
    slices.add(slice);
    long end = Math.addExact(size, bytes) + (guards ? ALIGNMENT : 0);
    size = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return slice;
  }

  /** @throws dev.plumb.backend.DeviceUnavailableException when the device has not enough memory */
  public void allocate() {
    long bytes = Math.max(size, ALIGNMENT);
    context.call(() -> "allocating " + inMiB(bytes) + " of device memory for " + name, () -> cuMemAlloc(base, bytes));
    allocated = true;
    if (guards) {
      try {
        context.call(() -> "filling " + name, () -> cuMemsetD8Async(base, FRESH, bytes, context.stream()));
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }
  }

  /**
   * Looks at the bytes between the slices; without guards this does nothing. The device must be idle.
   *
   * @throws IllegalStateException when one was overwritten; names the slice before it
   */
  public void requireGuards(String after) {
    if (!guards || !allocated) {
      return;
    }
    for (int i = 0; i < slices.size(); i++) {
      Slice slice = slices.get(i);
      long from = slice.offset + slice.bytes;
      long to = i + 1 < slices.size() ? slices.get(i + 1).offset : size;
      byte[] guard = new byte[(int) (to - from)];
      context.call(() -> "looking at the guard of " + slice.name,
          () -> cuMemcpyDtoH(Pointer.to(guard), base.withByteOffset(from), guard.length));
      for (int at = 0; at < guard.length; at++) {
        if (guard[at] != FRESH) {
          throw new IllegalStateException(after + " wrote " + at + " bytes past the end of \"" + slice.name + "\" ("
              + slice.bytes + " bytes) in " + name);
        }
      }
    }
  }

  /** What is allocated. */
  public long bytes() {
    return allocated ? Math.max(size, ALIGNMENT) : 0;
  }

  private static String inMiB(long bytes) {
    return bytes < 1 << 20 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }

  /** The release of the allocation, for a list of releases that goes on after failures. */
  public Runnable release() {
    return () -> {
      if (allocated) {
        allocated = false;
        cuMemFree(base);
      }
    };
  }

  @Override
  public void close() {
    context.release("releasing " + name, List.of(release()));
  }
}
