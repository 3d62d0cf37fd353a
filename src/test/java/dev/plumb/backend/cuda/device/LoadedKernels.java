package dev.plumb.backend.cuda.device;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.cuda.natives.CudaDevices;
import dev.plumb.backend.cuda.natives.CudaNatives;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/**
 * Loads the kernels in a process of its own and prints what they were loaded from and how long that took. Set
 * CUDA_CACHE_DISABLE=1 to time the driver's compiler instead of its cache.
 */
final class LoadedKernels {
  private LoadedKernels() {}

  /**
   * Prints a line per module that the first device can run, {@code plumb: CUBIN, 12.3 ms}. The times include reading files from
   * the jar, and exclude creating the context. Exits with 3 and one line when the device cannot be used.
   */
  public static void main(String[] args) {
    try {
      CudaNatives.load();
      CUdevice device = new CUdevice();
      JCudaDriver.cuDeviceGet(device, 0);
      CUcontext context = new CUcontext();
      JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
      JCudaDriver.cuCtxSetCurrent(context);
      long begin = System.nanoTime();
      try (CudaKernels kernels = new CudaKernels(CudaDevices.capability(device))) {
        print("plumb", kernels.kernel("finish_step"), begin);
        begin = System.nanoTime();
        print("normalization", kernels.kernel("normalization_delta_f32"), begin);
        begin = System.nanoTime();
        print("fused_mlp", kernels.kernel("fused_train_f32"), begin);
        begin = System.nanoTime();
        print("fused_mlp_weighted", kernels.kernel("fused_train_weighted_f32"), begin);
        begin = System.nanoTime();
        print("fused_narrow", kernels.kernel("fused_narrow_relu_f32"), begin);
        begin = System.nanoTime();
        print("fused_narrow_weighted", kernels.kernel("fused_narrow_relu_weighted_f32"), begin);
        if (CudaDevices.capability(device) >= CudaContext.MIN_CLUSTER_CAPABILITY) {
          begin = System.nanoTime();
          print("fused_cluster", kernels.kernel("fused_cluster_relu_f32"), begin);
        }
        begin = System.nanoTime();
        print("product", kernels.kernel("product_forward_f32"), begin);
        if (CudaDevices.capability(device) >= 80) {
          begin = System.nanoTime();
          print("product_tf32", kernels.kernel("product_forward_tf32"), begin);
        }
      }
      JCudaDriver.cuDevicePrimaryCtxRelease(device);
    } catch (DeviceUnavailableException e) {
      System.out.println(e.getMessage());
      System.exit(3);
    }
  }

  private static void print(String module, CudaKernels.Kernel kernel, long begin) {
    System.out.println(module + ": " + kernel.code() + ", " + (System.nanoTime() - begin) / 100_000 / 10.0 + " ms");
  }
}
