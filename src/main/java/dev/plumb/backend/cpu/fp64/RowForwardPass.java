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
  /** The products of layers with a normalization or a residual connection. */
  private final LayerKernel linear = VectorizationProvider.get().layer(Activation.LINEAR);
  /** Null in layers without normalization. */
  private final Normalizer[] normalizers;
  /** Z; without normalization the same arrays as H. */
  private final double[][][] pre;
  /** H; the same arrays as f(H) where H is not needed. */
  private final double[][][] normalized;
  /** f(H). */
  private final double[][][] activated;
  /** A; the same arrays as f(H) without dropout and residual connection. */
  private final double[][][] post;
  /** M; null without dropout. */
  private final double[][][] masks;
  /** The arrays of normalized layers. */
  private final UnitRows[] preRows;
  private final UnitRows[] normalizedRows;
  private final UnitRows[] activatedRows;
  /** G of the residual layer that the backward pass computed last; null without residual connections. */
  private double[][] outputGradient;
  private int capacity;
  private boolean keeps;

  /**
   * @param dropout masks of the hidden layers; null for none
   * @param training whether batches are normalized with their own statistics, otherwise with the running statistics
   */
  RowForwardPass(NetworkSpec network, ParameterLayout layout, DropoutMask dropout, boolean training) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    this.dropout = dropout;
    kernels = Arrays.stream(layers).map(layer -> VectorizationProvider.get().layer(layer.activation())).toArray(LayerKernel[]::new);
    normalizers = new Normalizer[network.layerCount()];
    Arrays.setAll(normalizers, l -> Normalizer.of(layers[l], layout, l, training, new int[] {0, layers[l].out()}, 1));
    pre = new double[network.layerCount()][][];
    normalized = new double[network.layerCount()][][];
    activated = new double[network.layerCount()][][];
    post = new double[network.layerCount()][][];
    masks = new double[network.layerCount()][][];
    preRows = new UnitRows[network.layerCount()];
    normalizedRows = new UnitRows[network.layerCount()];
    activatedRows = new UnitRows[network.layerCount()];
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
      normalized[l] = separate ? new double[units][capacity] : activated[l];
      pre[l] = normalizers[l] == null ? normalized[l] : new double[units][capacity];
      masks[l] = drops(l) ? new double[units][capacity] : null;
      post[l] = drops(l) || layers[l].residual() ? new double[units][capacity] : activated[l];
      if (normalizers[l] != null) {
        normalizers[l].reserve(capacity);
        preRows[l] = UnitRows.of(pre[l]);
        normalizedRows[l] = UnitRows.of(normalized[l]);
        activatedRows[l] = UnitRows.of(activated[l]);
      }
    }
    if (keeps && outputGradients() > 0) {
      outputGradient = new double[outputGradients()][capacity];
    }
  }

  /**
   * Computes Z[l] = W[l]·A[l-1] + b[l], H[l] = norm(Z[l]) and A[l] = f(H[l]) ∘ M[l] + R[l]·A[l-1] for all layers.
   *
   * @param parameters of which a training step updates the running statistics
   * @param x [inputs][samples, padded]
   * @param keepsPreActivations whether H must not be overwritten by f(H)
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
      double[][] h = inPlace ? activated[l] : normalized[l];
      if (normalizers[l] == null) {
        kernels[l].forward(in, layers[l].in(), parameters, layout.weight(l).offset(), layout.bias(l).offset(),
            h, activated[l], padded, scratch.functions);
      } else {
        linear.forward(in, layers[l].in(), parameters, layout.weight(l).offset(), layout.bias(l).offset(),
            pre[l], pre[l], padded, scratch.functions);
        normalize(l, parameters, h, samples, scratch);
      }
      if (drops(l)) {
        dropout.make(step, l, samples, masks[l], scratch.words);
        RowPadding.repeatLast(masks[l], samples);
        for (int unit = 0; unit < h.length; unit++) {
          DropoutMask.multiply(activated[l][unit], masks[l][unit], post[l][unit], 0, padded);
        }
      }
      if (layers[l].residual()) {
        for (int unit = 0; unit < h.length; unit++) {
          Residuals.add((drops(l) ? post : activated)[l][unit], in[unit], post[l][unit], 0, padded);
        }
      }
      in = post[l];
    }
    return in;
  }

  /** Computes H and f(H) from Z. */
  private void normalize(int l, double[] parameters, double[][] h, int samples, ThreadScratch scratch) {
    UnitRows rows = h == activated[l] ? activatedRows[l] : normalizedRows[l];
    Normalizer normalizer = normalizers[l];
    normalizer.measure(parameters, preRows[l], 0, 0, h.length, samples, scratch);
    normalizer.combine(samples);
    normalizer.normalize(parameters, preRows[l], rows, 0, h.length, samples, scratch);
    RowPadding.repeatLast(h, samples);
    for (int unit = 0; unit < h.length; unit++) {
      scratch.functions.apply(layers[l].activation(), h[unit], 0, activated[l][unit], 0, RowPadding.padded(samples));
    }
  }

  /** Returns the number of units of the widest layer whose G is needed below it. */
  private int outputGradients() {
    return IntStream.range(1, layers.length).filter(l -> layers[l].residual()).map(l -> layers[l].out()).max().orElse(0);
  }

  private boolean drops(int layer) {
    return dropout != null && layer < layers.length - 1;
  }

  /** Returns Z. */
  double[][] pre(int layer) {
    return pre[layer];
  }

  /** Returns H; Z without normalization. */
  double[][] normalized(int layer) {
    return normalized[layer];
  }

  /** Returns A, the input of the next layer. */
  double[][] post(int layer) {
    return post[layer];
  }

  /**
   * Computes D of a layer from D[l+1]: G[l] = W[l+1]ᵀ·D[l+1] + R[l+1]·G[l+1], D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H[l])).
   *
   * @param gradients receives the gradients of scale and shift
   */
  void backward(
      int l, double[] parameters, double[] gradients, double[][] above, UnitRows delta, int samples, ThreadScratch scratch) {
    int padded = RowPadding.padded(samples);
    double[][] d = delta.rows();
    Activation activation = layers[l].activation();
    int weights = layout.weight(l + 1).offset();
    if (layers[l].isPlain() && !layers[l + 1].residual()) {
      kernels[l].backward(above, layers[l + 1].out(), parameters, weights, masks[l],
          normalized[l], activated[l], d, padded, scratch.functions);
      return;
    }
    linear.backward(above, layers[l + 1].out(), parameters, weights, null, d, d, d, padded, scratch.functions);
    for (int unit = 0; unit < d.length; unit++) {
      if (layers[l + 1].residual()) {
        Residuals.add(d[unit], outputGradient[unit], d[unit], 0, padded);
      }
      if (l > 0 && layers[l].residual()) {
        System.arraycopy(d[unit], 0, outputGradient[unit], 0, padded);
      }
      if (masks[l] != null) {
        DropoutMask.multiply(d[unit], masks[l][unit], d[unit], 0, padded);
      }
      scratch.functions.timesDerivative(activation, normalized[l][unit], 0, activated[l][unit], 0, d[unit], 0, padded);
    }
    Normalizer normalizer = normalizers[l];
    if (normalizer != null) {
      // The extra samples stay 0.
      normalizer.measureGradients(parameters, gradients, preRows[l], delta, 0, 0, d.length, samples, scratch);
      normalizer.combineGradients(samples);
      normalizer.toDelta(parameters, preRows[l], delta, 0, d.length, samples, scratch);
    }
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    long rows = outputGradient == null ? 0 : outputGradient.length;
    long normalizations = 0;
    for (int l = 0; l < post.length; l++) {
      int arrays = 1 + (normalized[l] == activated[l] ? 0 : 1) + (pre[l] == normalized[l] ? 0 : 1)
          + (post[l] == activated[l] ? 0 : 1) + (drops(l) ? 1 : 0);
      rows += (long) layers[l].out() * arrays;
      normalizations += normalizers[l] == null ? 0 : normalizers[l].bytes();
    }
    return rows * capacity * Double.BYTES + normalizations;
  }
}
