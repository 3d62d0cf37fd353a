package dev.plumb.backend.cpu;

/**
 * How the CPU is used.
 *
 * @param threads that compute, at least 1; they change the time, never a bit of the result
 */
public record CpuOptions(int threads, Method method) {
  /** How a step is computed. */
  public enum Method {
    /** Small networks by rows, wide ones by products. */
    BY_SIZE,
    /** Unit by unit over all samples, one network to a thread. */
    ROWS,
    /** By matrix products, which all threads share: the Vector API's where Java and the processor have it, else a BLAS's. */
    PRODUCTS,
    /** Likewise, with products in plain Java: what is left where no BLAS can be loaded. */
    JAVA_PRODUCTS
  }

  public CpuOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads " + threads + " must be at least 1");
    }
  }

  /** By size, with one thread for each processor there is. */
  public static CpuOptions standard() {
    return new CpuOptions(Runtime.getRuntime().availableProcessors(), Method.BY_SIZE);
  }

  public CpuOptions withThreads(int number) {
    return new CpuOptions(number, method);
  }

  public CpuOptions withMethod(Method other) {
    return new CpuOptions(threads, other);
  }
}
