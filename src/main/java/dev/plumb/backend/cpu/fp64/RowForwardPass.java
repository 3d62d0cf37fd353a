package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The forward pass of a small network. The values of each layer are rows [units][samples]. */
final class RowForwardPass {
  /** Stored because {@link NetworkSpec#layer} allocates. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final DropoutMask dropout;
  private final LayerKernel[] kernels;
  /** Z; the same arrays as f(Z) where Z is not needed. */
  private final double[][][] pre;
  /** f(Z). */
  private final double[][][] activated;
  /** A; the same arrays as f(Z) without dropout. */
  private final double[][][] post;
  /** M; null without dropout. */
  private final double[][][] masks;
  private int capacity;
  private boolean keeps;

  /** @param dropout masks of the hidden layers; null for none */
  RowForwardPass(NetworkSpec network, ParameterLayout layout, DropoutMask dropout) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    this.dropout = dropout;
    kernels = Arrays.stream(layers).map(layer -> VectorizationProvider.get().layer(layer.activation())).toArray(LayerKernel[]::new);
    pre = new double[network.layerCount()][][];
    activated = new double[network.layerCount()][][];
    post = new double[network.layerCount()][][];
    masks = new double[network.layerCount()][][];
  }

  /** Allocates memory for a number of samples. Values are lost if it was too small. */
  void reserve(int samples, boolean keepsPreActivations) {
    if (samples <= capacity && (keeps || !keepsPreActivations)) {
      return;
    }
    capacity = Math.max(capacity, RowPadding.padded(samples));
    keeps |= keepsPreActivations;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      int units = layers[l].out();
      activated[l] = new double[units][capacity];
      boolean separate = activation != Activation.LINEAR && (keeps || !Activations.derivativeFromOutput(activation));
      pre[l] = separate ? new double[units][capacity] : activated[l];
      masks[l] = drops(l) ? new double[units][capacity] : null;
      post[l] = drops(l) ? new double[units][capacity] : activated[l];
    }
  }

  /**
   * Computes Z[l] = W[l]·A[l-1] + b[l] and A[l] = f(Z[l]) ∘ M[l] for all layers.
   *
   * @param x [inputs][samples, padded]
   * @param keepsPreActivations whether Z must not be overwritten by f(Z)
   * @param step number of steps before this one, for the dropout masks
   * @return the outputs [outputs][samples]
   */
  double[][] forward(
      double[] parameters, double[][] x, int samples, boolean keepsPreActivations, long step, ThreadScratch scratch) {
    int padded = RowPadding.padded(samples);
    double[][] in = x;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      boolean inPlace = !keepsPreActivations && Activations.derivativeFromOutput(activation);
      double[][] z = inPlace ? activated[l] : pre[l];
      kernels[l].forward(in, layers[l].in(), parameters, layout.weight(l).offset(), layout.bias(l).offset(),
          z, activated[l], padded, scratch.functions);
      if (drops(l)) {
        dropout.make(step, l, samples, masks[l], scratch.words);
        RowPadding.repeatLast(masks[l], samples);
        for (int unit = 0; unit < z.length; unit++) {
          DropoutMask.multiply(activated[l][unit], masks[l][unit], post[l][unit], 0, padded);
        }
      }
      in = post[l];
    }
    return in;
  }

  private boolean drops(int layer) {
    return dropout != null && layer < layers.length - 1;
  }

  /** Returns Z. */
  double[][] pre(int layer) {
    return pre[layer];
  }

  /** Returns f(Z). */
  double[][] activated(int layer) {
    return activated[layer];
  }

  /** Returns A, the input of the next layer. */
  double[][] post(int layer) {
    return post[layer];
  }

  /** Computes D[layer] = (W[layer+1]ᵀ·D[layer+1]) ∘ M[layer] ∘ f'(Z[layer]) from D[layer+1]. */
  void backward(
      int layer, double[] parameters, double[][] above, double[][] delta, int samples, ThreadScratch scratch) {
    kernels[layer].backward(above, layers[layer + 1].out(), parameters, layout.weight(layer + 1).offset(), masks[layer],
        pre[layer], activated[layer], delta, RowPadding.padded(samples), scratch.functions);
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    long rows = 0;
    for (int l = 0; l < post.length; l++) {
      rows += (long) layers[l].out() * ((pre[l] == activated[l] ? 1 : 2) + (drops(l) ? 2 : 0));
    }
    return rows * capacity * Double.BYTES;
  }
}
