package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.stream.IntStream;

/**
 * The three matrix products of a dense layer of a wide network, each for a range of rows of its result. The right operand, which
 * all rows share, is set first:
 *
 * <pre>
 *   forward            Z[l] = W[l]·A[l-1]
 *   weight gradients   dW[l] = D[l]·A[l-1]ᵀ
 *   input gradients    D[l-1] = W[l]ᵀ·D[l], without the factor f'
 * </pre>
 *
 * <p>Z, A and D are [units x samples]; A[-1] = Xᵀ, where X is [samples x inputs]; W is [out x in] in the flat vector of
 * parameters.
 */
final class DenseProducts {
  /** Stored because {@link NetworkSpec#layer} allocates. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;

  DenseProducts(NetworkSpec network, ParameterLayout layout) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
  }

  /**
   * Sets the right operand of the forward product.
   *
   * @param in A[l-1] from index 0 on; for the first layer X from inOffset on
   */
  void setForward(Gemm.RightOperand<double[]> right, int l, int samples, double[] in, int inOffset) {
    int inputs = layers[l].in();
    right.set(l == 0, samples, inputs, in, inOffset, l == 0 ? inputs : samples);
  }

  /** Computes rows from..to - 1 of Z[l], without the bias. */
  void forward(Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] parameters, double[] z) {
    int inputs = layers[l].in();
    int w = layout.weight(l).offset() + from * inputs;
    right.multiply(false, to - from, parameters, w, inputs, z, from * samples, samples);
  }

  /** Sets the right operand of the weight gradients, from the same input as {@link #setForward}. */
  void setWeightGradients(Gemm.RightOperand<double[]> right, int l, int samples, double[] in, int inOffset) {
    int inputs = layers[l].in();
    right.set(l != 0, inputs, samples, in, inOffset, l == 0 ? inputs : samples);
  }

  /** Computes rows from..to - 1 of dW[l], into the array of gradients from index at on. */
  void weightGradients(
      Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] d, double[] gradients, int at) {
    right.multiply(false, to - from, d, from * samples, samples, gradients, at, layers[l].in());
  }

  /** Sets the right operand of the input gradients. */
  void setInputGradients(Gemm.RightOperand<double[]> right, int l, int samples, double[] d) {
    right.set(false, samples, layers[l].out(), d, 0, samples);
  }

  /** Computes rows from..to - 1 of D[l-1], without the factor f'. */
  void inputGradients(
      Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] parameters, double[] below) {
    int w = layout.weight(l).offset() + from;
    right.multiply(true, to - from, parameters, w, layers[l].in(), below, from * samples, samples);
  }
}
