package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;

/** Page-locked host memory: the device copies from and to it while the host goes on. */
public final class HostMemory {
  /** An address that can be read as a number. */
  private static final class Address extends Pointer {
    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  private final Address address = new Address();
  private final ByteBuffer bytes;
  private boolean allocated;

  /**
   * @param what for, in messages
   * @throws dev.plumb.backend.DeviceUnavailableException when there is not enough memory
   */
  public HostMemory(CudaContext context, String what, long size) {
    context.call(() -> "allocating " + size + " bytes of page-locked host memory for " + what,
        () -> cuMemAllocHost(address, size));
    allocated = true;
    bytes = address.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
  }

  public ByteBuffer bytes() {
    return bytes;
  }

  long address() {
    return address.value();
  }

  public Pointer pointer(long byteOffset) {
    return address.withByteOffset(byteOffset);
  }

  /** The release, for a list of releases that goes on after failures. */
  public Runnable release() {
    return () -> {
      if (allocated) {
        allocated = false;
        cuMemFreeHost(address);
      }
    };
  }
}
