package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemAllocManaged;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static jcuda.driver.JCudaDriver.cuMemsetD32Async;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.Test;

/** The host device's memory and launches: what is right works, and what is wrong is found. */
class HostDeviceTest extends HostDeviceFixture {
  @Test
  void shufflesSharedMemoryAndBarriersSum() {
    double[] values = new double[64];
    for (int i = 0; i < 64; i++) {
      values[i] = i + 1;
    }
    for (Order order : Order.values()) {
      HostDevice.order(order, 3);
      CUdeviceptr in = allocate(64 * Sizeof.DOUBLE);
      CUdeviceptr out = allocate(Sizeof.DOUBLE);
      cuMemcpyHtoD(in, Pointer.to(values), 64 * Sizeof.DOUBLE);
      launch("sum_64_f64", 1, 64, in, out);
      synchronize();
      double[] sum = new double[1];
      cuMemcpyDtoH(Pointer.to(sum), out, Sizeof.DOUBLE);
      assertEquals(64 * 65 / 2, sum[0], order.toString());
    }
  }

  @Test
  void blocksAndThreadsHaveTwoIndices() {
    int rows = 7;
    int columns = 33;
    for (Order order : Order.values()) {
      HostDevice.order(order, 5);
      CUdeviceptr out = allocate(4L * rows * columns);
      cuLaunchKernel(function("grid_f32"), 3, 2, 1, 16, 4, 1, 0, stream,
          parameters(out, rows, columns), null);
      synchronize();
      float[] found = read(out, rows * columns);
      for (int i = 0; i < found.length; i++) {
        assertEquals(1000f * (i / columns) + i % columns, found[i], order.toString());
      }
    }
  }

  @Test
  void aGraphReplaysWhatWasRecordedInOtherStreamsToo() {
    CUstream other = new CUstream();
    cuStreamCreate(other, CUstream_flags.CU_STREAM_NON_BLOCKING);
    CUevent fork = new CUevent();
    CUevent join = new CUevent();
    cuEventCreate(fork, 0);
    cuEventCreate(join, 0);
    CUdeviceptr to = upload(new float[10]);
    CUdeviceptr from = allocate(40);
    CUgraph graph = new CUgraph();
    CUgraphExec exec = new CUgraphExec();
    cuStreamBeginCapture(stream, 0);
    cuEventRecord(fork, stream);
    cuStreamWaitEvent(other, fork, 0);
    cuMemsetD32Async(from, Float.floatToIntBits(2f), 10, other);
    cuEventRecord(join, other);
    cuStreamWaitEvent(stream, join, 0);
    launch("add_scaled_f32", 1, 32, to, from, 10, 0.5f);
    cuStreamEndCapture(stream, graph);
    cuGraphInstantiate(exec, graph, 0);
    assertEquals(0, HostDevice.count(Counter.KERNELS));
    for (int i = 0; i < 3; i++) {
      cuGraphLaunch(exec, stream);
    }
    synchronize();
    assertEquals(3, HostDevice.count(Counter.KERNELS));
    assertEquals(3f, read(to, 10)[9]);
    cuGraphExecDestroy(exec);
    cuGraphDestroy(graph);
  }

  @Test
  void implicitNullChecksOfTheJvmStillWork() {
    launch("add_scaled_f32", 1, 32, upload(new float[10]), upload(new float[10]), 10, 1f);
    synchronize();
    int found = 0;
    for (int i = 0; i < 200_000; i++) {
      String text = i % 3 == 0 ? null : "x";
      try {
        found += text.length();
      } catch (NullPointerException e) {
        found += 2;
      }
    }
    assertEquals(200_000 + 66_667, found);
  }

  @Test
  void freshMemoryIsNaN() {
    for (float value : read(allocate(64), 16)) {
      assertTrue(Float.isNaN(value));
    }
  }

  @Test
  void useAfterFreeIsFound() {
    CUdeviceptr freed = allocate(400);
    cuMemFree(freed);
    launch("add_scaled_f32", 1, 32, freed, freed, 10, 1f);
    fails("ILLEGAL_ADDRESS", "use after free", this::synchronize);
  }

  @Test
  void doubleFreeIsFound() {
    CUdeviceptr freed = allocate(400);
    cuMemFree(freed);
    fails("INVALID_VALUE", "already freed", () -> cuMemFree(freed));
  }

  @Test
  void aCopyThatIsTooLongIsFound() {
    CUdeviceptr to = allocate(400);
    fails("INVALID_VALUE", "needs 404 bytes", () -> cuMemcpyHtoD(to, Pointer.to(new float[101]), 404));
  }

  @Test
  void aHostAddressAsAKernelArgumentIsFound() {
    launch("wild_f32", 1, 1, 0x1234567800L);
    fails("ILLEGAL_ADDRESS", "is not in a device allocation", this::synchronize);
  }

  @Test
  void aMissingParameterIsFound() {
    CUdeviceptr to = allocate(400);
    fails("INVALID_VALUE", "parameter 3 of 4 is missing", () -> launch("add_scaled_f32", 1, 32, to, to, 10));
  }

  @Test
  void aBlockThatIsTooLargeIsRefused() {
    CUdeviceptr to = allocate(400);
    fails("INVALID_VALUE", "block 2048x1x1", () -> launch("add_scaled_f32", 1, 2048, to, to, 10, 1f));
  }

  @Test
  void anUnknownKernelIsNotFound() {
    fails("NOT_FOUND", "no kernel nothing", () -> function("nothing"));
  }

  @Test
  void ptxThatIsNewerThanTheDriverIsRefused() {
    fails("UNSUPPORTED_PTX_VERSION", "newer than a driver of CUDA 13.0",
        () -> cuModuleLoadData(new CUmodule(), ptx.replace(".version 6.3", ".version 9.9")));
  }

  @Test
  void ptxForANewerDeviceIsRefused() {
    fails("INVALID_PTX", "compute capability 9.0",
        () -> cuModuleLoadData(new CUmodule(), ptx.replace("sm_75", "sm_100")));
  }

  /** The host device prints no diagnosis: the caller is expected to load PTX next. */
  @Test
  void machineCodeIsRefused() {
    fails("NO_BINARY_FOR_GPU", "", () -> cuModuleLoadData(new CUmodule(), new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0x41}));
    assertEquals(1, HostDevice.count(Counter.REFUSED_CUBINS));
  }

  @Test
  void ptxThatIsNotImplementedOrDisagreesIsRefused() {
    fails("INVALID_PTX", "an access past the end of parameter wild_f32_param_0",
        () -> cuModuleLoadData(new CUmodule(), ptx.replace(".u64 wild_f32_param_0", ".u32 wild_f32_param_0")));
    fails("INVALID_PTX", "unknown instruction bar.red.sync",
        () -> cuModuleLoadData(new CUmodule(), ptx.replace("bar.sync", "bar.red.sync")));
    for (String modified : List.of("add.ftz.f32", "ld.global.relaxed.f32", "setp.lt.and.s32", "shl.clamp.b32")) {
      String plain = modified.replaceFirst("\\.(ftz|relaxed|and|clamp)", "");
      assertTrue(ptx.contains(plain + "\t") || ptx.contains(plain + " "), plain);
      fails("INVALID_PTX", "unknown instruction " + modified,
          () -> cuModuleLoadData(new CUmodule(), ptx.replace(plain, modified)));
    }
  }

  @Test
  void aFunctionThatIsNotImplementedIsAnErrorAndNoCrash() {
    fails("NOT_SUPPORTED", "cuMemAllocManaged is not implemented", () -> cuMemAllocManaged(new CUdeviceptr(), 4, 1));
  }

  @Test
  void anotherThreadHasNoContext() throws Exception {
    AtomicReference<CudaException> thrown = new AtomicReference<>();
    Thread thread = new Thread(() -> {
      try {
        cuMemAlloc(new CUdeviceptr(), 4);
      } catch (CudaException e) {
        thrown.set(e);
      }
    });
    thread.start();
    thread.join();
    assertNotNull(thrown.get());
    assertTrue(thrown.get().getMessage().contains("INVALID_CONTEXT"));
  }
}
