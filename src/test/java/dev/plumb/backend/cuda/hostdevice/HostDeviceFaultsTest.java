package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuCtxCreate;
import static jcuda.driver.JCudaDriver.cuCtxDestroy;
import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuModuleUnload;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import org.junit.jupiter.api.Test;

/** The host device counts resources that are not released, and injects faults. */
class HostDeviceFaultsTest extends HostDeviceFixture {
  @Test
  void whatIsNotGivenBackIsCounted() {
    CUevent event = new CUevent();
    Pointer pinned = new Pointer();
    cuEventCreate(event, 0);
    cuMemAllocHost(pinned, 4);
    CUdeviceptr memory = allocate(4);
    assertEquals("1 DEVICE_MEMORY, 1 PINNED_MEMORY, 1 CONTEXT, 1 STREAM, 1 EVENT, 1 MODULE", HostDevice.left());
    cuMemFree(memory);
    cuMemFreeHost(pinned);
    cuStreamDestroy(stream);
    assertEquals("1 CONTEXT, 1 EVENT, 1 MODULE", HostDevice.left());
    cuCtxDestroy(context);
    assertEquals("1 EVENT, 1 MODULE", HostDevice.left());
    cuCtxCreate(context, 0, new CUdevice());
  }

  @Test
  void theNthAllocationFindsNoMemoryWhetherDeviceOrPinned() {
    HostDevice.fault(Fault.MEMORY, 3);
    allocate(4);
    cuMemAllocHost(new Pointer(), 4);
    fails("OUT_OF_MEMORY", "injected fault", () -> allocate(4));
    allocate(4);
  }

  @Test
  void memoryEnds() {
    fails("OUT_OF_MEMORY", "", () -> allocate(1L << 40));
  }

  @Test
  void theNthLaunchFailsLaterAndSticksAndReleasesStillCount() {
    CUdeviceptr to = upload(new float[10]);
    HostDevice.fault(Fault.LAUNCH, 2);
    launch("add_scaled_f32", 1, 32, to, to, 10, 1f);
    launch("add_scaled_f32", 1, 32, to, to, 10, 1f);
    fails("LAUNCH_FAILED", "kernel add_scaled_f32 fails", this::synchronize);
    fails("LAUNCH_FAILED", "", () -> launch("add_scaled_f32", 1, 32, to, to, 10, 1f));
    fails("LAUNCH_FAILED", "", () -> cuMemFree(to));
    fails("LAUNCH_FAILED", "", () -> cuModuleUnload(module));
    fails("LAUNCH_FAILED", "", () -> cuStreamDestroy(stream));
    assertEquals("1 CONTEXT", HostDevice.left());
  }

  @Test
  void aLostDeviceFailsEveryCallFromThenOn() {
    CUdeviceptr memory = allocate(4);
    HostDevice.fault(Fault.LOST, 2);
    allocate(4);
    fails("UNKNOWN", "the device is lost", this::synchronize);
    fails("UNKNOWN", "", () -> allocate(4));
    fails("UNKNOWN", "", () -> cuMemFree(memory));
    assertEquals("1 DEVICE_MEMORY, 1 CONTEXT, 1 STREAM, 1 MODULE", HostDevice.left());
    fails("UNKNOWN", "", () -> cuCtxCreate(new CUcontext(), 0, new CUdevice()));
  }

  @Test
  void theNthCopyFails() {
    CUdeviceptr memory = upload(new float[10]);
    HostDevice.fault(Fault.COPY, 2);
    read(memory, 10);
    fails("ECC_UNCORRECTABLE", "cuMemcpyDtoH meets a memory error", () -> read(memory, 10));
    fails("ECC_UNCORRECTABLE", "", this::synchronize);
  }

  @Test
  void aRandomOrderIsTheSameForTheSameSeed() {
    float[][] runs = new float[3][];
    for (int i = 0; i < 3; i++) {
      HostDevice.order(Order.RANDOM, i == 2 ? 8 : 7);
      CUdeviceptr out = allocate(256);
      launch("order_of_threads_s32", 1, 64, upload(new float[1]), out);
      synchronize();
      runs[i] = read(out, 64);
    }
    assertArrayEquals(runs[0], runs[1]);
    assertTrue(!Arrays.equals(runs[0], runs[2]));
  }
}
