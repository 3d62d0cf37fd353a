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
 * An open device: its primary context, a stream of its own, the kernels, and, once needed, a cuBLAS handle with its workspace.
 * Belongs to the thread that opened it.
 */
public final class CudaContext implements AutoCloseable {
  /** The lowest compute capability with tensor cores for TF32 and bfloat16. */
  private static final int MIN_TENSOR_CORE_CAPABILITY = 80;
  /** The lowest compute capability with thread block clusters. */
  static final int MIN_CLUSTER_CAPABILITY = 90;
  /** NVIDIA's recommendation for cuBLAS: 32 MiB from compute capability 9.0 on, 4 MiB before. */
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

  /** @throws DeviceUnavailableException when there is no such device, or it cannot be used */
  public CudaContext(int ordinal) {
    this(ordinal, CudaOptions.DEFAULT_MAX_BLOCKS);
  }

  /**
   * @param maxBlocks as in {@link CudaOptions}
   * @throws DeviceUnavailableException when there is no such device, or it cannot be used
   */
  public CudaContext(int ordinal, int maxBlocks) {
    this.maxBlocks = maxBlocks;
    CudaNatives.load();
    try {
      CUdevice device = device(ordinal);
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

  private static CUdevice device(int ordinal) {
    int count = CudaNatives.deviceCount();
    if (ordinal >= count) {
      throw new DeviceUnavailableException("there is no device cuda:" + ordinal + ", only cuda:0"
          + (count > 1 ? " to cuda:" + (count - 1) : "") + "; `plumb devices` lists them");
    }
    CUdevice device = new CUdevice();
    cuDeviceGet(device, ordinal);
    return device;
  }

  /** Closes this, and returns the exception: after any failure while opening, the device cannot be used. */
  private RuntimeException openingFailed(CudaException e, int ordinal) {
    failed = true;
    RuntimeException failure = CudaFailures.opening(e, "cuda:" + ordinal, this::synchronizeUnchecked);
    close();
    return failure;
  }

  /**
   * Creates the cuBLAS handle on the first call. The fused planner does not need it. The layered one creates it even if all
   * products are small, because a later batch may be larger.
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
      release("releasing cuBLAS", undo);
      throw failure;
    }
    for (int i = undo.size() - 1; i >= 0; i--) {
      releases.push(undo.get(i));
    }
  }

  /** @param undo receives the releases of the handle and its workspace, in order, also if a later call fails */
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

  /** Returns the device's name as the driver reports it. */
  public String name() {
    return name;
  }

  /** Returns the largest number of blocks of a launch. */
  int maxBlocks() {
    return maxBlocks;
  }

  /** Returns the stream that all work is enqueued on. */
  public CUstream stream() {
    return stream;
  }

  /** Returns the limits of a block. */
  public DeviceLimits limits() {
    return limits;
  }

  /** Returns the cuBLAS handle. {@link #needBlas} comes first: it allocates, which must not happen while steps are enqueued. */
  public cublasHandle blas() {
    return blas;
  }

  /**
   * Returns a kernel.
   *
   * @throws IllegalArgumentException when there is no kernel with that name
   */
  public CudaKernels.Kernel kernel(String name) {
    try {
      return kernels.kernel(name);
    } catch (CudaException e) {
      throw failure(e, "looking for the kernel " + name);
    }
  }

  /** Returns whether the device has tensor cores for TF32 and bfloat16, from compute capability 8.0 on. */
  public boolean hasTensorCores() {
    return capability >= MIN_TENSOR_CORE_CAPABILITY;
  }

  /** Returns the compute capability, 90 for 9.0. */
  public int capability() {
    return capability;
  }

  /** Returns whether the device launches thread block clusters, from compute capability 9.0 on. */
  public boolean launchesClusters() {
    return launchesClusters;
  }

  /**
   * Selects how cuBLAS computes later products: of floats on TF32 tensor cores only for the precision TF32, otherwise in cuBLAS's
   * default, which never computes in less than the precision of the numbers; of bfloat16 without any sum in bfloat16. Creates the
   * cuBLAS handle if needed.
   */
  public void use(Precision precision) {
    needBlas();
    int mode = switch (precision) {
      case TF32 -> cublasMath.CUBLAS_TF32_TENSOR_OP_MATH;
      case BF16 -> cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
      default -> cublasMath.CUBLAS_DEFAULT_MATH;
    };
    if (mode != mathMode) {
      call("choosing the math mode", () -> JCublas2.cublasSetMathMode(blas, mode));
      mathMode = mode;
    }
  }

  /** Makes driver calls; a failure becomes an exception of one line that names the operation. */
  public void call(String doing, Runnable calls) {
    call(() -> doing, calls);
  }

  /** Makes driver calls, with a description that is made only for a failure. */
  public void call(Supplier<String> doing, Runnable calls) {
    try {
      calls.run();
    } catch (CudaException e) {
      throw failure(e, doing.get());
    }
  }

  /** Waits for all enqueued work. */
  public void synchronize(String doing) {
    call(doing, () -> cuStreamSynchronize(stream));
  }

  /**
   * Makes this the current context of the calling thread, which may use several devices in turn.
   *
   * @throws IllegalStateException in any thread but the one that opened this, and after close
   */
  public void enter() {
    requireUsable();
    call("switching to the device", this::makeCurrent);
  }

  /** Makes this the current context without checks; failures are thrown as JCuda's exceptions. */
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

  /** Returns the exception for a failed call, and remembers that this context failed. */
  public RuntimeException failure(CudaException e, String doing) {
    // A failed allocation has no effect: the context stays usable.
    failed |= !CudaFailures.isOutOfMemory(e);
    return CudaFailures.of(e, doing, this::synchronizeUnchecked);
  }

  private void synchronizeUnchecked() {
    cuStreamSynchronize(stream);
  }

  /**
   * Runs all releases in order, also after failures; the first failure is thrown at the end. After an earlier failure of this
   * context nothing is thrown, because the driver returns the same error from every call.
   */
  public void release(String doing, Iterable<Runnable> releases) {
    CudaException first = null;
    for (Runnable one : releases) {
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
