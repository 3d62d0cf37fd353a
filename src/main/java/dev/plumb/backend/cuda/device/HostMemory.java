package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;

/** Page-locked host memory: the device can copy to and from it while the host continues. */
public final class HostMemory {
  /** An address whose value can be read. */
  private static final class Address extends Pointer {
    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  private final Address address = new Address();
  private final ByteBuffer bytes;
  private boolean allocated;

  /**
   * @param purpose for messages
   * @throws dev.plumb.backend.DeviceUnavailableException when there is not enough memory
   */
  public HostMemory(CudaContext context, String purpose, long size) {
    context.call(() -> "allocating " + size + " bytes of page-locked host memory for " + purpose,
        () -> cuMemAllocHost(address, size));
    allocated = true;
    bytes = address.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
  }

  /** Returns the memory as a buffer in native byte order. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Returns the host address. */
  long address() {
    return address.value();
  }

  /** Returns a pointer into the memory. */
  public Pointer pointer(long byteOffset) {
    return address.withByteOffset(byteOffset);
  }

  /** Returns the release, for a list of releases that continues after failures. */
  public Runnable release() {
    return () -> {
      if (allocated) {
        allocated = false;
        cuMemFreeHost(address);
      }
    };
  }
}
