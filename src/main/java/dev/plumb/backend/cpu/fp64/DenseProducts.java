package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.stream.IntStream;

/**
 * The three matrix products of a dense layer of a wide network, here and nowhere else, each for some rows of its result:
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
  private final Gemm<double[]> gemm;

  DenseProducts(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    this.gemm = gemm;
  }

  /**
   * Rows from..to - 1 of Z[l].
   *
   * @param in A[l-1] from its beginning on; for the first layer X from inOffset on
   */
  void forward(int l, int from, int to, int samples, double[] parameters, double[] in, int inOffset, double[] z) {
    int inputs = layers[l].in();
    boolean first = l == 0;
    int w = layout.weight(l).offset() + from * inputs;
    gemm.multiply(false, first, to - from, samples, inputs,
        parameters, w, inputs, in, inOffset, first ? inputs : samples, z, from * samples, samples);
  }

  /** Rows from..to - 1 of dW[l], which stand in the gradients; in as for {@link #forward}. */
  void weights(int l, int from, int to, int samples, double[] d, double[] in, int inOffset, double[] gradients) {
    int inputs = layers[l].in();
    boolean first = l == 0;
    int w = layout.weight(l).offset() + from * inputs;
    gemm.multiply(false, !first, to - from, inputs, samples,
        d, from * samples, samples, in, inOffset, first ? inputs : samples, gradients, w, inputs);
  }

  /** Rows from..to - 1 of D[l-1]. */
  void inputs(int l, int from, int to, int samples, double[] parameters, double[] d, double[] below) {
    int inputs = layers[l].in();
    int w = layout.weight(l).offset() + from;
    gemm.multiply(true, false, to - from, samples, layers[l].out(),
        parameters, w, inputs, d, 0, samples, below, from * samples, samples);
  }
}
