package dev.plumb.model;

import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.ParameterLayout.Slice;

/**
 * A network for inference whose batch normalizations are part of its weights. With the running statistics m and v of a unit, its
 * scale s and its shift t, and r = s / sqrt(v + epsilon), the normalized pre-activation is r·(w·a + b - m) + t = (r·w)·a +
 * (r·(b - m) + t). Outputs are those of the original network except for rounding. Layer normalizations and residual connections
 * are kept.
 *
 * @param network without batch normalization
 * @param parameters [ParameterLayout.size()] of the network
 */
public record FoldedNetwork(NetworkSpec network, double[] parameters) {
  /**
   * Folds the batch normalizations of a network.
   *
   * @param network of the parameters
   * @param parameters [ParameterLayout.size()]; not changed
   * @return the folded network; the arguments themselves if there is no batch normalization
   */
  public static FoldedNetwork of(NetworkSpec network, double[] parameters) {
    if (network.normalization() != Normalization.BATCH) {
      return new FoldedNetwork(network, parameters);
    }
    ParameterLayout layout = ParameterLayout.of(network);
    NetworkSpec folded = network.withNormalization(Normalization.NONE);
    double[] result = new double[ParameterLayout.of(folded).size()];
    // Weights and biases come first in both layouts.
    System.arraycopy(parameters, 0, result, 0, result.length);
    for (int layer = 0; layer < network.layerCount() - 1; layer++) {
      Slice weight = layout.weight(layer);
      int bias = layout.bias(layer).offset();
      for (int unit = 0; unit < weight.rows(); unit++) {
        double scale = parameters[layout.slice(Kind.SCALE, layer).offset() + unit];
        double shift = parameters[layout.slice(Kind.SHIFT, layer).offset() + unit];
        double mean = parameters[layout.slice(Kind.RUNNING_MEAN, layer).offset() + unit];
        double variance = parameters[layout.slice(Kind.RUNNING_VARIANCE, layer).offset() + unit];
        double factor = scale / Math.sqrt(variance + Normalization.EPSILON);
        for (int k = 0; k < weight.columns(); k++) {
          result[weight.offset() + unit * weight.columns() + k] *= factor;
        }
        result[bias + unit] = factor * (parameters[bias + unit] - mean) + shift;
      }
    }
    return new FoldedNetwork(folded, result);
  }
}
