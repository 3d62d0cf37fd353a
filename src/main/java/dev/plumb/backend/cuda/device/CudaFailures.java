package dev.plumb.backend.cuda.device;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceUnavailableException;
import java.util.Set;
import jcuda.CudaException;

/** Turns what JCuda throws into one line: what failed, during what, and what to do. */
final class CudaFailures {
  private static final Set<String> OUT_OF_MEMORY = Set.of("CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED");
  private static final Set<String> KERNELS_REFUSED = Set.of(
      "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "CUDA_ERROR_INVALID_PTX", "CUDA_ERROR_NO_BINARY_FOR_GPU",
      "CUDA_ERROR_INVALID_IMAGE", "CUDA_ERROR_INVALID_SOURCE", "CUDA_ERROR_JIT_COMPILER_NOT_FOUND");

  /** The driver's words for a card that is gone, broken, taken by another process or reset under us. */
  private static final Set<String> DEVICE_LOST = Set.of(
      "CUDA_ERROR_NO_DEVICE", "CUDA_ERROR_INVALID_DEVICE", "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA_ERROR_DEVICE_NOT_LICENSED",
      "CUDA_ERROR_ECC_UNCORRECTABLE", "CUDA_ERROR_NVLINK_UNCORRECTABLE", "CUDA_ERROR_HARDWARE_STACK_ERROR",
      "CUDA_ERROR_LAUNCH_TIMEOUT", "CUDA_ERROR_SYSTEM_NOT_READY", "CUDA_ERROR_UNKNOWN", "CUDA_ERROR_CONTAINED");

  private CudaFailures() {}

  static boolean isOutOfMemory(CudaException failure) {
    return OUT_OF_MEMORY.contains(codeOf(failure));
  }

  /** Returns whether the driver does not accept the code that it was to load: made for another GPU, or by too new a toolkit. */
  static boolean isKernelsRefused(CudaException failure) {
    return KERNELS_REFUSED.contains(codeOf(failure));
  }

  /**
   * For work on a card that was opened.
   *
   * @param doing what was being done, with its sizes: "allocating 12 MiB for activations"
   * @param driverCall any call of the driver: cuBLAS says of a lost card only that it failed, the driver says more
   */
  static RuntimeException of(CudaException failure, String doing, Runnable driverCall) {
    String code = codeOf(failure, driverCall);
    if (OUT_OF_MEMORY.contains(code)) {
      return new DeviceUnavailableException("there is not enough memory (" + code + " while " + doing
          + "): use a smaller batch, network or number of replicas, or end what else runs there");
    }
    if (DEVICE_LOST.contains(code)) {
      return lost(code, doing);
    }
    return new DeviceFailedException("the GPU broke off with " + code + " while " + doing
        + ": a bug in Plumb, or a failing card (see the driver's messages: dmesg, nvidia-smi)", failure);
  }

  /** For opening a card: whatever is said then, it cannot be used. */
  static DeviceUnavailableException opening(CudaException failure, String card, Runnable driverCall) {
    String code = codeOf(failure, driverCall);
    String doing = "opening " + card;
    if (KERNELS_REFUSED.contains(code)) {
      return new DeviceUnavailableException("the GPU's driver does not take Plumb's kernels (" + code + " while " + doing
          + "): update the driver; `plumb devices` says what is there");
    }
    // cuBLAS says that it could not be initialised when it found no memory, too.
    if (OUT_OF_MEMORY.contains(code) || code.equals("CUBLAS_STATUS_NOT_INITIALIZED")) {
      return new DeviceUnavailableException("the GPU seems to have no memory left (" + code + " while " + doing
          + "): end what else runs there (nvidia-smi lists it), or name another card");
    }
    return DEVICE_LOST.contains(code)
        ? lost(code, doing)
        : new DeviceUnavailableException("the GPU cannot be used (" + code + " while " + doing
            + "): see that nvidia-smi works; `plumb devices` says what is there");
  }

  private static DeviceUnavailableException lost(String code, String doing) {
    return new DeviceUnavailableException("the GPU was lost (" + code + " while " + doing
        + "): what was trained since the last save is gone; see the driver's messages (dmesg, nvidia-smi), then start again");
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
