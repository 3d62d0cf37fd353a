package dev.plumb.backend.cuda.natives;

import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;

/** A program that loads CUDA and prints the result, for tests where loading must fail or could crash. */
final class LoadedCuda {
  private LoadedCuda() {}

  /** Prints "loaded", the number of devices and the temporary folder afterwards; otherwise exits with 3 and one line. */
  public static void main(String[] args) {
    try {
      CudaNatives.load();
    } catch (RuntimeException first) {
      try {
        CudaNatives.load();
      } catch (RuntimeException second) {
        System.out.println(first.getMessage().equals(second.getMessage()) ? first.getMessage() : first + " then " + second);
        System.exit(3);
      }
    }
    int[] count = new int[1];
    JCudaDriver.cuDeviceGetCount(count);
    System.out.println("loaded, " + count[0] + " devices, host device " + CudaNatives.onHostDevice() + ", temp folder "
        + System.getProperty("java.io.tmpdir"));
    try {
      JCublas2.cublasDestroy(new cublasHandle());
      System.out.println("no exception");
    } catch (CudaException e) {
      System.out.println("exceptions are on");
    }
  }
}
