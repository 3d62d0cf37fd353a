package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.stream.IntStream;

/**
 * The three matrix products of a dense layer of a wide network, here and nowhere else, each for some rows of its
 * result. A thread takes what they have in common first, and then as many rows as it gets:
 *
 * <pre>
 *   forward    Z[l] = W[l]·A[l-1]
 *   weights    dW[l] = D[l]·A[l-1]ᵀ
 *   inputs     D[l-1] = W[l]ᵀ·D[l], f' left to others
 * </pre>
 *
 * <p>Z, A and D are [units x samples]; A[-1] = Xᵀ, where X is [samples x inputs]; W is [out x in] inside the flat vector.
 */
final class DenseProducts {
  /** Kept, as the network makes a layer anew for whoever asks. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;

  DenseProducts(NetworkSpec network, ParameterLayout layout) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
  }

  /**
   * What all rows of Z[l] have in common.
   *
   * @param in A[l-1] from its beginning on; for the first layer X from inOffset on
   */
  void setForward(Gemm.RightOperand<double[]> right, int l, int samples, double[] in, int inOffset) {
    int inputs = layers[l].in();
    right.set(l == 0, samples, inputs, in, inOffset, l == 0 ? inputs : samples);
  }

  /** Rows from..to - 1 of Z[l]. */
  void forward(Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] parameters, double[] z) {
    int inputs = layers[l].in();
    int w = layout.weight(l).offset() + from * inputs;
    right.multiply(false, to - from, parameters, w, inputs, z, from * samples, samples);
  }

  /** What all rows of dW[l] have in common; in as for {@link #setForward}. */
  void setWeightGradients(Gemm.RightOperand<double[]> right, int l, int samples, double[] in, int inOffset) {
    int inputs = layers[l].in();
    right.set(l != 0, inputs, samples, in, inOffset, l == 0 ? inputs : samples);
  }

  /** Rows from..to - 1 of dW[l], which go into the gradients from at on. */
  void weightGradients(Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] d, double[] gradients, int at) {
    right.multiply(false, to - from, d, from * samples, samples, gradients, at, layers[l].in());
  }

  /** What all rows of D[l-1] have in common. */
  void setInputGradients(Gemm.RightOperand<double[]> right, int l, int samples, double[] d) {
    right.set(false, samples, layers[l].out(), d, 0, samples);
  }

  /** Rows from..to - 1 of D[l-1]. */
  void inputGradients(Gemm.RightOperand<double[]> right, int l, int from, int to, int samples, double[] parameters, double[] below) {
    int w = layout.weight(l).offset() + from;
    right.multiply(true, to - from, parameters, w, layers[l].in(), below, from * samples, samples);
  }
}
