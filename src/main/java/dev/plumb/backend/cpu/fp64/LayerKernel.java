package dev.plumb.backend.cpu.fp64;

/**
 * The forward and the backward pass of a narrow layer with one activation f, over rows [units][samples]. The number of samples is a
 * multiple of {@link RowPadding#MULTIPLE}.
 */
interface LayerKernel {
  /**
   * Computes Z = W·A + b and f(Z).
   *
   * @param in A [inputs][samples]
   * @param weights index of W [units x inputs] in the parameters
   * @param biases index of b [units] in the parameters
   * @param z receives Z [units][samples]
   * @param a receives f(Z) [units][samples]; is z for linear, and may be z if {@link Activations#derivativeFromOutput}
   */
  void forward(
      double[][] in,
      int inputs,
      double[] parameters,
      int weights,
      int biases,
      double[][] z,
      double[][] a,
      int samples,
      Activations functions);

  /**
   * Computes the gradient of the loss with respect to Z, (W[above]ᵀ·D[above]) ∘ M ∘ f'(Z).
   *
   * @param above D[above] [outputs][samples], of the next layer
   * @param weights index of W[above] [outputs x units] in the parameters
   * @param masks M [units][samples]; null without dropout
   * @param z Z [units][samples], not read if {@link Activations#derivativeFromOutput}
   * @param a f(Z) [units][samples]
   * @param delta receives the gradient [units][samples]
   */
  void backward(
      double[][] above,
      int outputs,
      double[] parameters,
      int weights,
      double[][] masks,
      double[][] z,
      double[][] a,
      double[][] delta,
      int samples,
      Activations functions);
}
