package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuCtxCreate;
import static jcuda.driver.JCudaDriver.cuCtxDestroy;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemAllocManaged;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD32Async;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.HostDevice.Counter;
import dev.plumb.backend.cuda.HostDevice.Fault;
import dev.plumb.backend.cuda.HostDevice.Order;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import jcuda.CudaException;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The host device's driver catches what src/test/native/README.md says that it catches. */
class HostDeviceTest {
  private static String brokenPtx;

  private final CUcontext context = new CUcontext();
  private final CUmodule module = new CUmodule();
  private final CUstream stream = new CUstream();

  @BeforeAll
  static void load() throws Exception {
    HostDevice.load();
    try (var in = HostDeviceTest.class.getResourceAsStream("/ptx/broken.ptx")) {
      brokenPtx = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @BeforeEach
  void open() {
    HostDevice.reset();
    HostDevice.quiet(true);
    cuInit(0);
    CUdevice device = new CUdevice();
    cuDeviceGet(device, 0);
    cuCtxCreate(context, 0, device);
    cuModuleLoadData(module, brokenPtx);
    cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
  }

  /** Ends the context, with whatever a test left in it. */
  @AfterEach
  void close() {
    try {
      cuCtxDestroy(context);
    } catch (CudaException e) {
      // A lost device says so once more.
      assertTrue(e.getMessage().contains("UNKNOWN"), e.getMessage());
    }
    HostDevice.reset();
  }

  // ---- what works

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

  // ---- wrong kernels

  @Test
  void aMissingBarrierShowsAsNaN() {
    for (Order order : Order.values()) {
      HostDevice.order(order, 1);
      CUdeviceptr out = allocate(256);
      launch("missing_barrier_f32", 1, 64, upload(new float[64]), out);
      synchronize();
      int poisoned = 0;
      for (float value : read(out, 64)) {
        poisoned += Float.isNaN(value) ? 1 : 0;
      }
      assertTrue(poisoned > 10, order + ": " + poisoned + " of 64");
    }
  }

  @Test
  void aDivergentBarrierIsALaunchFailure() {
    launch("divergent_barrier_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "divergent __syncthreads", this::synchronize);
  }

  @Test
  void waitingAtTwoBarriersIsALaunchFailure() {
    launch("two_barriers_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "different __syncthreads", this::synchronize);
  }

  @Test
  void aShuffleThatLanesNeverReachIsALaunchFailure() {
    launch("missing_lanes_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "lanes that never come", this::synchronize);
  }

  @Test
  void oneElementPastTheEndIsFound() {
    launch("off_by_one_f32", 1, 128, allocate(400), 100);
    fails("ILLEGAL_ADDRESS", "wrote past the end of allocation", this::synchronize);
  }

  @Test
  void oneElementPastAWholePageIsFound() {
    launch("off_by_one_f32", 5, 256, allocate(4096), 1024);
    fails("ILLEGAL_ADDRESS", "access at byte offset 4096", this::synchronize);
  }

  @Test
  void oneElementBeforeTheStartIsFound() {
    launch("before_start_f32", 1, 1, allocate(400));
    fails("ILLEGAL_ADDRESS", "wrote before the start", this::synchronize);
  }

  @Test
  void aWildWriteIsFoundAndSticks() {
    launch("wild_f32", 1, 1, allocate(400));
    fails("ILLEGAL_ADDRESS", "access at byte offset 4194304", this::synchronize);
    fails("ILLEGAL_ADDRESS", "", () -> allocate(4));
  }

  // ---- memory

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

  // ---- launches

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
        () -> cuModuleLoadData(new CUmodule(), brokenPtx.replace(".version 6.3", ".version 9.9")));
  }

  @Test
  void ptxForANewerDeviceIsRefused() {
    fails("INVALID_PTX", "compute capability 9.0",
        () -> cuModuleLoadData(new CUmodule(), brokenPtx.replace("sm_75", "sm_100")));
  }

  @Test
  void ptxThatDisagreesWithTheHostBuildIsRefused() {
    fails("INVALID_PTX", "kernel wild_f32: the parameters of the PTX and of the host build differ",
        () -> cuModuleLoadData(new CUmodule(), brokenPtx.replace(".u64 wild_f32_param_0", ".u32 wild_f32_param_0")));
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

  // ---- streams and captures

  @Test
  void aMissingSynchronisationReadsStaleHostMemory() {
    Pointer pinned = new Pointer();
    cuMemAllocHost(pinned, 4);
    ByteBuffer host = pinned.getByteBuffer(0, 4).order(ByteOrder.nativeOrder());
    host.putFloat(0, -1);
    CUdeviceptr value = allocate(4);
    cuMemsetD32Async(value, Float.floatToIntBits(7f), 1, stream);
    cuMemcpyDtoHAsync(pinned, value, 4, stream);
    assertEquals(-1f, host.getFloat(0));
    synchronize();
    assertEquals(7f, host.getFloat(0));
    cuMemFreeHost(pinned);
  }

  @Test
  void anEagerQueueRunsAtOnce() {
    HostDevice.lazy(false);
    cuMemsetD32Async(allocate(4), 0, 1, stream);
    launch("add_scaled_f32", 1, 32, upload(new float[10]), upload(new float[10]), 10, 1f);
    assertEquals(1, HostDevice.count(Counter.KERNELS));
  }

  @Test
  void plainCopiesDoNotWaitForANonBlockingStream() {
    CUdeviceptr value = allocate(4);
    cuMemsetD32Async(value, Float.floatToIntBits(7f), 1, stream);
    assertTrue(Float.isNaN(read(value, 1)[0]));
    synchronize();
    assertEquals(7f, read(value, 1)[0]);
  }

  @Test
  void anEventOrdersTwoStreams() {
    CUstream other = new CUstream();
    cuStreamCreate(other, CUstream_flags.CU_STREAM_NON_BLOCKING);
    CUevent written = new CUevent();
    cuEventCreate(written, 0);
    CUdeviceptr from = allocate(4);
    CUdeviceptr to = allocate(4);
    cuMemsetD32Async(from, Float.floatToIntBits(7f), 1, stream);
    cuEventRecord(written, stream);
    cuStreamWaitEvent(other, written, 0);
    cuMemcpyDtoDAsync(to, from, 4, other);
    cuEventDestroy(written);
    cuStreamSynchronize(other);
    assertEquals(7f, read(to, 1)[0]);
  }

  @Test
  void anAllocationInvalidatesACapture() {
    cuStreamBeginCapture(stream, 0);
    fails("CAPTURE_UNSUPPORTED", "cuMemAlloc during a stream capture", () -> allocate(4));
    fails("CAPTURE_INVALIDATED", "", () -> cuStreamEndCapture(stream, new CUgraph()));
  }

  @Test
  void aPinnedAllocationInvalidatesACapture() {
    cuStreamBeginCapture(stream, 0);
    fails("CAPTURE_UNSUPPORTED", "during a stream capture", () -> cuMemAllocHost(new Pointer(), 4));
    fails("CAPTURE_INVALIDATED", "", () -> cuStreamEndCapture(stream, new CUgraph()));
  }

  @Test
  void aSynchronisationInvalidatesACapture() {
    cuStreamBeginCapture(stream, 0);
    fails("CAPTURE_UNSUPPORTED", "of a capturing stream", this::synchronize);
    fails("CAPTURE_INVALIDATED", "", () -> cuStreamEndCapture(stream, new CUgraph()));
  }

  @Test
  void aCopyFromAJavaArrayInACaptureIsRefused() {
    CUdeviceptr to = allocate(64);
    cuStreamBeginCapture(stream, 0);
    fails("CAPTURE_UNSUPPORTED", "pageable host memory", () -> cuMemcpyHtoDAsync(to, Pointer.to(new float[16]), 64, stream));
    fails("CAPTURE_INVALIDATED", "", () -> cuStreamEndCapture(stream, new CUgraph()));
  }

  @Test
  void workThatIsNotJoinedFailsTheCapture() {
    CUstream other = new CUstream();
    cuStreamCreate(other, CUstream_flags.CU_STREAM_NON_BLOCKING);
    CUevent fork = new CUevent();
    cuEventCreate(fork, 0);
    CUdeviceptr value = allocate(4);
    cuStreamBeginCapture(stream, 0);
    cuEventRecord(fork, stream);
    cuStreamWaitEvent(other, fork, 0);
    cuMemsetD32Async(value, 0, 1, other);
    fails("CAPTURE_UNJOINED", "", () -> cuStreamEndCapture(stream, new CUgraph()));
  }

  // ---- leaks and faults

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
      launch("missing_barrier_f32", 1, 64, upload(new float[64]), out);
      synchronize();
      runs[i] = read(out, 64);
    }
    assertArrayEquals(runs[0], runs[1]);
    assertTrue(!Arrays.equals(runs[0], runs[2]));
  }

  // ---- what the tests are written with

  private CUdeviceptr allocate(long bytes) {
    CUdeviceptr memory = new CUdeviceptr();
    cuMemAlloc(memory, bytes);
    return memory;
  }

  private CUdeviceptr upload(float[] values) {
    CUdeviceptr memory = allocate((long) Sizeof.FLOAT * values.length);
    cuMemcpyHtoD(memory, Pointer.to(values), (long) Sizeof.FLOAT * values.length);
    return memory;
  }

  private static float[] read(CUdeviceptr from, int n) {
    float[] values = new float[n];
    cuMemcpyDtoH(Pointer.to(values), from, (long) Sizeof.FLOAT * n);
    return values;
  }

  private CUfunction function(String name) {
    CUfunction function = new CUfunction();
    cuModuleGetFunction(function, module, name);
    return function;
  }

  private void launch(String kernel, int blocks, int threads, Object... arguments) {
    cuLaunchKernel(function(kernel), blocks, 1, 1, threads, 1, 1, 0, stream, parameters(arguments), null);
  }

  private static Pointer parameters(Object... arguments) {
    NativePointerObject[] pointers = new NativePointerObject[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      pointers[i] = switch (arguments[i].getClass().getSimpleName()) {
        case "CUdeviceptr" -> Pointer.to((CUdeviceptr) arguments[i]);
        case "Integer" -> Pointer.to(new int[] {(Integer) arguments[i]});
        case "Long" -> Pointer.to(new long[] {(Long) arguments[i]});
        case "Float" -> Pointer.to(new float[] {(Float) arguments[i]});
        default -> throw new IllegalArgumentException(arguments[i].toString());
      };
    }
    return Pointer.to(pointers);
  }

  private void synchronize() {
    cuStreamSynchronize(stream);
  }

  private static void fails(String code, String diagnosis, Executable call) {
    CudaException e = assertThrows(CudaException.class, call);
    assertTrue(e.getMessage().contains(code), e.getMessage());
    assertTrue(HostDevice.diagnosis().contains(diagnosis), HostDevice.diagnosis());
  }
}
