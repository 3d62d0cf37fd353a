package dev.plumb.backend.cpu.fp64;

/**
 * The gradients of a narrow layer: sums over the samples. HotSpot's C2 does not vectorize such sums in plain Java, so they
 * take most of a small network's step.
 */
interface WeightGradientKernel {
  /**
   * Adds D·Aᵀ over samples from..to - 1 to dW.
   *
   * @param d [outputs][samples]
   * @param a [inputs][samples]
   * @param gradients contains dW [outputs x inputs] from index g on
   */
  void weightGradients(double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to);

  /**
   * Adds the sums of D over samples from..to - 1 to db.
   *
   * @param d [outputs][samples]
   * @param gradients contains db [outputs] from index g on
   */
  void biasGradients(double[][] d, int outputs, double[] gradients, int g, int from, int to);
}
