package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.stream.IntStream;

/** The values of a network's units while a batch goes forward, layer by layer as rows [units][samples]. */
final class RowActivity {
  /** Kept, as the network makes a layer anew for whoever asks. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  /** Z; the same arrays as A where Z need not be kept. */
  private final double[][][] pre;
  private final double[][][] post;
  private int capacity;
  private boolean keeps;

  RowActivity(NetworkSpec network, ParameterLayout layout) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    pre = new double[network.layerCount()][][];
    post = new double[network.layerCount()][][];
  }

  /** Makes room for so many samples; what was there is lost when it was too small. */
  void reserve(int samples, boolean keepsPreActivations) {
    if (samples <= capacity && (keeps || !keepsPreActivations)) {
      return;
    }
    capacity = Math.max(capacity, samples);
    keeps |= keepsPreActivations;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      int units = layers[l].out();
      post[l] = new double[units][capacity];
      boolean apart = activation != Activation.LINEAR && (keeps || !Activations.derivativeFromOutput(activation));
      pre[l] = apart ? new double[units][capacity] : post[l];
    }
  }

  /**
   * Z[l] = W[l]·A[l-1] + b[l], A[l] = f(Z[l]), for all layers.
   *
   * @param x [inputs][samples]
   * @param keepsPreActivations whether Z may not be overwritten by A
   * @return the outputs [outputs][samples]
   */
  double[][] forward(double[] parameters, double[][] x, int samples, boolean keepsPreActivations, Activations functions) {
    double[][] in = x;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      boolean inPlace = !keepsPreActivations && Activations.derivativeFromOutput(activation);
      double[][] z = inPlace ? post[l] : pre[l];
      int inputs = layers[l].in();
      int weights = layout.weight(l).offset();
      int biases = layout.bias(l).offset();
      for (int unit = 0; unit < z.length; unit++) {
        RowProducts.row(
            z[unit], in, inputs, parameters, weights + unit * inputs, 1, parameters[biases + unit], 0, samples);
        if (activation != Activation.LINEAR) {
          functions.apply(activation, z[unit], 0, post[l][unit], 0, samples);
        }
      }
      in = post[l];
    }
    return in;
  }

  double[][] pre(int layer) {
    return pre[layer];
  }

  double[][] post(int layer) {
    return post[layer];
  }

  long bytes() {
    long rows = 0;
    for (int l = 0; l < post.length; l++) {
      rows += (long) layers[l].out() * (pre[l] == post[l] ? 1 : 2);
    }
    return rows * capacity * Double.BYTES;
  }
}
