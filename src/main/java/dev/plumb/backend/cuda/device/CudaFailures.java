package dev.plumb.backend.cuda.device;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceMemoryException;
import dev.plumb.backend.DeviceUnavailableException;
import java.util.Set;
import jcuda.CudaException;

/** Turns JCuda's exceptions into one line each: what failed, during which operation, and what to do. */
final class CudaFailures {
  private static final Set<String> OUT_OF_MEMORY = Set.of("CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED");
  private static final Set<String> KERNELS_REFUSED = Set.of(
      "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "CUDA_ERROR_INVALID_PTX", "CUDA_ERROR_NO_BINARY_FOR_GPU",
      "CUDA_ERROR_INVALID_IMAGE", "CUDA_ERROR_INVALID_SOURCE", "CUDA_ERROR_JIT_COMPILER_NOT_FOUND");

  /** The driver's codes for a GPU that was removed, broken, taken by another process or reset. */
  private static final Set<String> DEVICE_LOST = Set.of(
      "CUDA_ERROR_NO_DEVICE", "CUDA_ERROR_INVALID_DEVICE", "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA_ERROR_DEVICE_NOT_LICENSED",
      "CUDA_ERROR_ECC_UNCORRECTABLE", "CUDA_ERROR_NVLINK_UNCORRECTABLE", "CUDA_ERROR_HARDWARE_STACK_ERROR",
      "CUDA_ERROR_LAUNCH_TIMEOUT", "CUDA_ERROR_SYSTEM_NOT_READY", "CUDA_ERROR_UNKNOWN", "CUDA_ERROR_CONTAINED");

  private CudaFailures() {}

  /** Returns whether the device or the host had not enough memory. */
  static boolean isOutOfMemory(CudaException failure) {
    return OUT_OF_MEMORY.contains(codeOf(failure));
  }

  /** Returns whether the driver rejects the code that it was given: code for another GPU, or from a newer toolkit. */
  static boolean isKernelsRefused(CudaException failure) {
    return KERNELS_REFUSED.contains(codeOf(failure));
  }

  /**
   * Returns the exception for a failure on an open device.
   *
   * @param doing the failed operation, with its sizes: "allocating 12 MiB for activations"
   * @param driverCall any driver call: for a lost device cuBLAS reports only a failure, the driver its cause
   */
  static RuntimeException of(CudaException failure, String doing, Runnable driverCall) {
    String code = codeOf(failure, driverCall);
    if (OUT_OF_MEMORY.contains(code)) {
      return new DeviceMemoryException("there is not enough memory (" + code + " while " + doing + ")",
          "use a smaller batch, a smaller network or fewer replicas, or stop other programs that use the GPU");
    }
    if (DEVICE_LOST.contains(code)) {
      return lost(code, doing);
    }
    return new DeviceFailedException("the GPU failed with " + code + " while " + doing
        + ": this is a bug in Plumb or a hardware fault (see the driver's messages: dmesg, nvidia-smi)", failure);
  }

  /** Returns the exception for a failure while opening a device: it cannot be used, whatever the cause. */
  static DeviceUnavailableException opening(CudaException failure, String device, Runnable driverCall) {
    String code = codeOf(failure, driverCall);
    String doing = "opening " + device;
    if (KERNELS_REFUSED.contains(code)) {
      return new DeviceUnavailableException("the NVIDIA driver rejects Plumb's kernels (" + code + " while " + doing
          + "): update the driver; `plumb devices` shows its version");
    }
    // cuBLAS reports NOT_INITIALIZED also when there is not enough memory.
    if (OUT_OF_MEMORY.contains(code) || code.equals("CUBLAS_STATUS_NOT_INITIALIZED")) {
      return new DeviceMemoryException("the GPU seems to be out of memory (" + code + " while " + doing + ")",
          "stop other programs that use it (nvidia-smi lists them), or choose another GPU");
    }
    return DEVICE_LOST.contains(code)
        ? lost(code, doing)
        : new DeviceUnavailableException("the GPU cannot be used (" + code + " while " + doing
            + "): check that nvidia-smi works; `plumb devices` shows the driver and the devices");
  }

  private static DeviceUnavailableException lost(String code, String doing) {
    return new DeviceUnavailableException("the GPU was lost (" + code + " while " + doing + ")",
        "training since the last save is lost; see the driver's messages (dmesg, nvidia-smi), then start again");
  }

  private static String codeOf(CudaException failure, Runnable driverCall) {
    String code = codeOf(failure);
    if (code.startsWith("CUBLAS_")) {
      try {
        driverCall.run();
      } catch (CudaException e) {
        return DEVICE_LOST.contains(codeOf(e)) ? codeOf(e) : code;
      }
    }
    return code;
  }

  private static String codeOf(CudaException failure) {
    return String.valueOf(failure.getMessage()).strip();
  }
}
