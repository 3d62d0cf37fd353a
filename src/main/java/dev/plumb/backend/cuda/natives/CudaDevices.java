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

/** The cards as the driver describes them. */
public final class CudaDevices {
  /** The driver cuts longer names off. */
  private static final int LONGEST_NAME = 256;

  private CudaDevices() {}

  /** Asks for all cards, in the driver's order; the natives must be loaded. */
  static List<GpuReport.Gpu> read() {
    List<GpuReport.Gpu> cards = new ArrayList<>();
    for (int i = 0; i < CudaNatives.cards(); i++) {
      cards.add(card(i));
    }
    return cards;
  }

  private static GpuReport.Gpu card(int index) {
    CUdevice device = new CUdevice();
    JCudaDriver.cuDeviceGet(device, index);
    String name = name(device);
    int capability = capability(device);
    long[] memory = new long[1];
    JCudaDriver.cuDeviceTotalMem(memory, device);
    return new GpuReport.Gpu("cuda:" + index, name, CudaProblem.capabilityText(capability), memory[0], freeMemory(device),
        CudaProblem.cardFault(name, capability));
  }

  /** The card's name, as the driver has it. */
  public static String name(CUdevice device) {
    byte[] name = new byte[LONGEST_NAME];
    JCudaDriver.cuDeviceGetName(name, name.length, device);
    return text(name);
  }

  /** 90 for 9.0. */
  public static int capability(CUdevice device) {
    return 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  }

  public static int attribute(CUdevice device, int which) {
    int[] value = new int[1];
    JCudaDriver.cuDeviceGetAttribute(value, which, device);
    return value[0];
  }

  private static String text(byte[] name) {
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }

  /** Needs a context, which a card that is full, or that another process has for itself, refuses. */
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
