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
 * One allocation of device memory, divided into named slices. All slices are reserved first; {@link #allocate} then allocates
 * them. Memory is not cleared: a slice that is read before all of it is written, such as rows with padding, must be filled first.
 *
 * <p>With guards, every byte is initially 0xFF, which is NaN as a float or double, and each slice is followed by guard bytes that
 * must keep that value: {@link #requireGuards} detects writes past the end of a slice, and reads past the end return NaN.
 */
public final class DeviceArena implements AutoCloseable {
  /** The driver's alignment of allocations; cuBLAS's fastest kernels need addresses aligned to 16 bytes or more. */
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

    /** Returns the device address. */
    public long address() {
      return base.address() + offset;
    }

    /** Returns a pointer to the beginning of the slice. */
    public CUdeviceptr pointer() {
      return pointer(0);
    }

    /**
     * Returns a pointer into the slice.
     *
     * @param byteOffset within the slice
     */
    public CUdeviceptr pointer(long byteOffset) {
      if (byteOffset < 0 || byteOffset >= Math.max(1, bytes)) {
        throw new IndexOutOfBoundsException("byte " + byteOffset + " of the " + bytes + " of " + name);
      }
      return base.withByteOffset(offset + byteOffset);
    }

    /** Enqueues setting all bytes to one value. */
    public void fill(byte value) {
      context.call(() -> "filling " + name, () -> cuMemsetD8Async(pointer(), value, bytes, context.stream()));
    }
  }

  /** A device address whose value can be read, for tables of kernel arguments. */
  private static final class Base extends CUdeviceptr {
    long address() {
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

  /** @param name the purpose, for messages */
  public DeviceArena(CudaContext context, String name, boolean guards) {
    this.context = context;
    this.name = name;
    this.guards = guards;
  }

  /** Reserves a slice; its size may be 0. */
  public Slice reserve(String sliceName, long bytes) {
    if (allocated) {
      throw new IllegalStateException(name + " is allocated already");
    }
    Slice slice = new Slice(sliceName, size, bytes);
    slices.add(slice);
    long end = Math.addExact(size, bytes) + (guards ? ALIGNMENT : 0);
    size = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return slice;
  }

  /**
   * Allocates all reserved slices.
   *
   * @throws dev.plumb.backend.DeviceUnavailableException when the device has not enough memory
   */
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
   * Checks the guard bytes; does nothing without guards. The device must be idle.
   *
   * @throws IllegalStateException when a guard byte was overwritten; names the slice before it
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
      context.call(() -> "checking the guard of " + slice.name,
          () -> cuMemcpyDtoH(Pointer.to(guard), base.withByteOffset(from), guard.length));
      for (int at = 0; at < guard.length; at++) {
        if (guard[at] != FRESH) {
          throw new IllegalStateException(after + " wrote " + at + " bytes past the end of \"" + slice.name + "\" ("
              + slice.bytes + " bytes) in " + name);
        }
      }
    }
  }

  /** Returns the number of allocated bytes. */
  public long bytes() {
    return allocated ? Math.max(size, ALIGNMENT) : 0;
  }

  private static String inMiB(long bytes) {
    return bytes < 1 << 20 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }

  /** Returns the release of the allocation, for a list of releases that continues after failures. */
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
