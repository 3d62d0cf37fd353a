package dev.plumb.backend.cpu;

/**
 * Options of the CPU backend.
 *
 * @param threads number of threads per session, at least 1; results do not depend on it
 * @param method implementation of a step
 */
public record CpuOptions(int threads, Method method) {
  /** The implementation of a step. */
  public enum Method {
    /** {@link #ROWS} for small networks, {@link #PRODUCTS} for wide ones. */
    BY_SIZE,
    /** Unit by unit over all samples, one network per thread. */
    ROWS,
    /**
     * Matrix products that all threads share: with the Vector API where Java and the processor support it, otherwise of a BLAS.
     */
    PRODUCTS,
    /** Matrix products in plain Java, as where no BLAS can be loaded. */
    JAVA_PRODUCTS
  }

  public CpuOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, but is " + threads);
    }
  }

  /** Returns the default: method by size, one thread per available processor. */
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
