package dev.plumb.backend.cpu.fp64;

/**
 * The sums over samples that are a layer's weight gradients. C2 makes no vector instructions of such sums, so that they take most
 * of a small network's step; where the running Java has the Vector API, they are written with it.
 */
interface RowDots {
  /** What this process uses: it depends on how Java was started, and on nothing else. */
  RowDots BEST = choose();

  /**
   * dW += D·Aᵀ over samples from..to - 1.
   *
   * @param d [outputs][samples]
   * @param a [inputs][samples]
   * @param gradients holds dW [outputs x inputs] from g on
   */
  void weightGradients(double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to);

  /** Returns how the sums are computed, with the length of vectors where their order depends on it. */
  default String name() {
    return "plain Java";
  }

  private static RowDots choose() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return RowProducts::weightGradients;
    }
    try {
      // Compiled apart, as it needs the module; by name, so that nothing else does.
      return (RowDots) Class.forName(RowDots.class.getPackageName() + ".VectorDots").getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("built without the part that uses the Vector API", e);
    }
  }
}
