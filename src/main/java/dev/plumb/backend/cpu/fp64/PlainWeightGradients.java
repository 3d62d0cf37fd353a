package dev.plumb.backend.cpu.fp64;

/** The gradients of a narrow layer in plain Java. */
final class PlainWeightGradients implements WeightGradientKernel {
  PlainWeightGradients() {}

  @Override
  public void weightGradients(
      double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to) {
    RowProducts.weightGradients(d, outputs, a, inputs, gradients, g, from, to);
  }

  @Override
  public void biasGradients(double[][] d, int outputs, double[] gradients, int g, int from, int to) {
    for (int unit = 0; unit < outputs; unit++) {
      gradients[g + unit] += RowProducts.sum(d[unit], from, to);
    }
  }
}
