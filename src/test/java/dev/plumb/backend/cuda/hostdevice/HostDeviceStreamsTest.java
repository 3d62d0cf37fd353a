package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD32Async;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.Test;

/** Streams on the host device are as late as their rules allow, and captures forbid what they forbid on a GPU. */
class HostDeviceStreamsTest extends HostDeviceFixture {
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
  void whatAJoinedStreamMayNotDoInvalidatesTheCapture() {
    CUstream other = new CUstream();
    cuStreamCreate(other, CUstream_flags.CU_STREAM_NON_BLOCKING);
    CUevent fork = new CUevent();
    cuEventCreate(fork, 0);
    CUdeviceptr to = allocate(64);
    cuStreamBeginCapture(stream, 0);
    cuEventRecord(fork, stream);
    cuStreamWaitEvent(other, fork, 0);
    fails("CAPTURE_UNSUPPORTED", "pageable host memory", () -> cuMemcpyHtoDAsync(to, Pointer.to(new float[16]), 64, other));
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
}
