package dev.plumb.backend.cuda.natives;

import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;

/** Loads CUDA in a process of its own and says how that went: for tests in which loading must fail, or might crash. */
final class LoadedCuda {
  private LoadedCuda() {}

  /** Prints "loaded", a count of the cards and the temp folder as it is afterwards; exits with 3 and one line otherwise. */
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
    int[] cards = new int[1];
    JCudaDriver.cuDeviceGetCount(cards);
    System.out.println("loaded, " + cards[0] + " cards, host device " + CudaNatives.onHostDevice() + ", temp folder "
        + System.getProperty("java.io.tmpdir"));
    try {
      JCublas2.cublasDestroy(new cublasHandle());
      System.out.println("no exception");
    } catch (CudaException e) {
      System.out.println("exceptions are on");
    }
  }
}
