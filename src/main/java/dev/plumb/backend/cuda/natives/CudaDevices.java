package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.GpuReport;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import jcuda.CudaException;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/** Queries the driver for its devices. */
public final class CudaDevices {
  /** The driver truncates longer names. */
  private static final int MAX_NAME_BYTES = 256;

  private CudaDevices() {}

  /** Returns all devices, in the driver's order; the natives must be loaded. */
  static List<GpuReport.Gpu> read() {
    List<GpuReport.Gpu> gpus = new ArrayList<>();
    for (int i = 0; i < CudaNatives.deviceCount(); i++) {
      gpus.add(gpu(i));
    }
    return gpus;
  }

  private static GpuReport.Gpu gpu(int index) {
    CUdevice device = new CUdevice();
    JCudaDriver.cuDeviceGet(device, index);
    String name = name(device);
    int capability = capability(device);
    long[] memory = new long[1];
    JCudaDriver.cuDeviceTotalMem(memory, device);
    return new GpuReport.Gpu("cuda:" + index, name, CudaProblem.capabilityText(capability), memory[0], freeMemory(device),
        CudaProblem.deviceFault(name, capability));
  }

  /** Returns the device's name as the driver reports it. */
  public static String name(CUdevice device) {
    byte[] name = new byte[MAX_NAME_BYTES];
    JCudaDriver.cuDeviceGetName(name, name.length, device);
    return text(name);
  }

  /** Returns the compute capability, 90 for 9.0. */
  public static int capability(CUdevice device) {
    return 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  }

  /** Returns an attribute, one of {@link CUdevice_attribute}. */
  public static int attribute(CUdevice device, int attribute) {
    int[] value = new int[1];
    JCudaDriver.cuDeviceGetAttribute(value, attribute, device);
    return value[0];
  }

  private static String text(byte[] name) {
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }

  /**
   * Returns the free memory. This needs a context; empty if the device has no memory for one, or another process uses it
   * exclusively.
   */
  private static OptionalLong freeMemory(CUdevice device) {
    try {
      CUcontext context = new CUcontext();
      JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
      try {
        JCudaDriver.cuCtxPushCurrent(context);
        try {
          long[] free = new long[1];
          JCudaDriver.cuMemGetInfo(free, new long[1]);
          return OptionalLong.of(free[0]);
        } finally {
          JCudaDriver.cuCtxPopCurrent(context);
        }
      } finally {
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
      }
    } catch (CudaException e) {
      return OptionalLong.empty();
    }
  }
}
