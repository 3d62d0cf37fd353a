package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.cuda.natives.CudaDevices;
import dev.plumb.backend.cuda.natives.CudaNatives;
import dev.plumb.backend.cuda.natives.CudaProblem;
import dev.plumb.model.Precision;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import jcuda.CudaException;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.runtime.cudaStream_t;

/**
 * One card, opened: its primary context, a stream of our own, the kernels, and, once it is needed, a cuBLAS handle with its
 * workspace. Belongs to the thread that opened it.
 */
public final class CudaContext implements AutoCloseable {
  /** The compute capability from which on there are clusters. */
  static final int MIN_CLUSTER_CAPABILITY = 90;
  /** What NVIDIA recommends for cuBLAS: 32 MiB from compute capability 9.0 on, 4 MiB before. */
  private static final long WORKSPACE_BYTES = 4L << 20;
  private static final long WORKSPACE_BYTES_FROM_SM90 = 32L << 20;

  private final Thread owner = Thread.currentThread();
  private final Deque<Runnable> releases = new ArrayDeque<>();
  private final CUcontext context = new CUcontext();
  private final CUstream stream = new CUstream();
  private final CudaKernels kernels;
  private final String name;
  private final int capability;
  private final boolean launchesClusters;
  private final DeviceLimits limits;
  private final int maxBlocks;
  private cublasHandle blas;
  private int mathMode = cublasMath.CUBLAS_DEFAULT_MATH;
  private boolean failed;
  private boolean closed;

  /** @throws DeviceUnavailableException when there is no such card, or it cannot be used */
  public CudaContext(int ordinal) {
    this(ordinal, CudaOptions.DEFAULT_MAX_BLOCKS);
  }

  /**
   * @param maxBlocks as in {@link CudaOptions}
   * @throws DeviceUnavailableException when there is no such card, or it cannot be used
   */
  public CudaContext(int ordinal, int maxBlocks) {
    this.maxBlocks = maxBlocks;
    CudaNatives.load();
    try {
      CUdevice device = card(ordinal);
      name = CudaDevices.name(device);
      capability = CudaDevices.capability(device);
      launchesClusters = capability >= MIN_CLUSTER_CAPABILITY
          && CudaDevices.attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) == 1;
      CudaProblem.deviceFault(name, capability).ifPresent(fault -> {
        throw CudaProblem.devicesTooOld(List.of(fault)).asException();
      });
      cuDevicePrimaryCtxRetain(context, device);
      releases.push(() -> cuDevicePrimaryCtxRelease(device));
      cuCtxSetCurrent(context);
      cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
      releases.push(() -> cuStreamDestroy(stream));
      kernels = new CudaKernels(capability);
      releases.push(kernels::close);
      limits = DeviceLimits.of(device);
    } catch (CudaException e) {
      throw openingFailed(e, ordinal);
    } catch (RuntimeException e) {
      failed = true;
      close();
      throw e;
    }
  }

  private static CUdevice card(int ordinal) {
    int cards = CudaNatives.deviceCount();
    if (ordinal >= cards) {
      throw new DeviceUnavailableException("there is no device cuda:" + ordinal + ", only cuda:0"
          + (cards > 1 ? " to cuda:" + (cards - 1) : "") + "; `plumb devices` lists them");
    }
    CUdevice device = new CUdevice();
    cuDeviceGet(device, ordinal);
    return device;
  }

  /** Whatever the driver or cuBLAS said while opening, this card cannot be used now. */
  private RuntimeException openingFailed(CudaException e, int ordinal) {
    failed = true;
    RuntimeException failure = CudaFailures.opening(e, "cuda:" + ordinal, this::synchronizeUnchecked);
    close();
    return failure;
  }

  /**
   * Creates cuBLAS, where that was not done yet. The fused planner does without it. The layered one creates it even where all products
   * are small, as a later batch may be larger.
   *
   * @throws DeviceUnavailableException when it cannot be created
   */
  public void needBlas() {
    if (blas != null) {
      return;
    }
    List<Runnable> undo = new ArrayList<>();
    try {
      blas = createBlas(undo);
    } catch (CudaException e) {
      RuntimeException failure = CudaFailures.opening(e, "cuBLAS", this::synchronizeUnchecked);
      failed |= !CudaFailures.isOutOfMemory(e);
      release("giving up cuBLAS", undo);
      throw failure;
    }
    for (int i = undo.size() - 1; i >= 0; i--) {
      releases.push(undo.get(i));
    }
  }

  /** @param undo gets what releases the handle and its workspace, in the order to release in, also where a later call fails */
  private cublasHandle createBlas(List<Runnable> undo) {
    cublasHandle created = new cublasHandle();
    JCublas2.cublasCreate(created);
    undo.add(0, () -> JCublas2.cublasDestroy(created));
    JCublas2.cublasSetStream(created, new cudaStream_t(stream));
    long bytes = capability >= 90 ? WORKSPACE_BYTES_FROM_SM90 : WORKSPACE_BYTES;
    CUdeviceptr workspace = new CUdeviceptr();
    cuMemAlloc(workspace, bytes);
    undo.add(0, () -> cuMemFree(workspace));
    JCublas2.cublasSetWorkspace(created, workspace, bytes);
    JCublas2.cublasSetMathMode(created, mathMode);
    return created;
  }

  /** The card's name, as the driver has it. */
  public String name() {
    return name;
  }

  int maxBlocks() {
    return maxBlocks;
  }

  public CUstream stream() {
    return stream;
  }

  /** What blocks may use. */
  public DeviceLimits limits() {
    return limits;
  }

  /** To be created before, by {@link #needBlas}: that allocates, which must not happen while steps are enqueued. */
  public cublasHandle blas() {
    return blas;
  }

  /** @throws IllegalArgumentException when there is no kernel of that name */
  public CudaKernels.Kernel kernel(String name) {
    try {
      return kernels.kernel(name);
    } catch (CudaException e) {
      throw failure(e, "looking for the kernel " + name);
    }
  }

  /** Returns whether the device has tensor cores for TF32, from compute capability 8.0 on. */
  public boolean computesTf32() {
    return capability >= 80;
  }

  /** Returns whether the device launches thread block clusters, from compute capability 9.0 on. */
  public boolean launchesClusters() {
    return launchesClusters;
  }

  /**
   * Sets how products of singles are computed from here on: on TF32 tensor cores where, and only where, that was asked for;
   * otherwise cuBLAS's default, which computes in no less than the precision of the numbers. cuBLAS is there afterwards.
   */
  public void use(Precision precision) {
    needBlas();
    int wanted = precision == Precision.TF32 ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_DEFAULT_MATH;
    if (wanted != mathMode) {
      call("choosing the math mode", () -> JCublas2.cublasSetMathMode(blas, wanted));
      mathMode = wanted;
    }
  }

  /** Makes driver calls; a failure becomes one line that says what they were for. */
  public void call(String doing, Runnable calls) {
    call(() -> doing, calls);
  }

  /** As above, for descriptions that cost something to make. */
  public void call(Supplier<String> doing, Runnable calls) {
    try {
      calls.run();
    } catch (CudaException e) {
      throw failure(e, doing.get());
    }
  }

  /** Waits for everything that was enqueued. */
  public void synchronize(String doing) {
    call(doing, () -> cuStreamSynchronize(stream));
  }

  /**
   * Makes this the context of the calls that follow: a thread may work with several cards in turns.
   *
   * @throws IllegalStateException in any thread but the one that opened this, and after close
   */
  public void enter() {
    requireUsable();
    call("turning to the card", this::makeCurrent);
  }

  public void makeCurrent() {
    cuCtxSetCurrent(context);
  }

  /** @throws IllegalStateException in any thread but the one that opened this, and after close */
  public void requireUsable() {
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException("this CUDA backend belongs to the thread \"" + owner.getName() + "\", not to \""
          + Thread.currentThread().getName() + "\"");
    }
    if (closed) {
      throw new IllegalStateException("this CUDA backend is closed");
    }
  }

  public RuntimeException failure(CudaException e, String doing) {
    // What found no memory has done nothing: the context is as good as before.
    failed |= !CudaFailures.isOutOfMemory(e);
    return CudaFailures.of(e, doing, this::synchronizeUnchecked);
  }

  private void synchronizeUnchecked() {
    cuStreamSynchronize(stream);
  }

  /**
   * Releases in the order given, each one whatever became of those before. After a failure that was told already the driver says
   * the same again to every call; otherwise the first failure is thrown at the end.
   */
  public void release(String doing, Iterable<Runnable> all) {
    CudaException first = null;
    for (Runnable one : all) {
      try {
        one.run();
      } catch (CudaException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null && !failed) {
      throw failure(first, doing);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      releases.push(this::makeCurrent);
      release("closing the device", releases);
    }
  }
}
