package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;

/**
 * How far each tensor of a step may be from the reference's: one absolute figure a tensor, so that small elements beside
 * large ones are not held to digits that nobody can have. Five things are allowed for, and no more:
 *
 * <ul>
 *   <li>Rounding within a sum. It grows with the terms, not with what is left when they cancel (a gradient near a minimum),
 *       so an {@link Tolerances} is relative to the larger of: the tensor's largest element, and the largest root of the sum
 *       of squares of an element's terms.
 *   <li>What A of a layer may be off by, however small it is: Z of the layer above reads it, and so does that layer's dW.
 *   <li>What the forward pass may be off by, D of the output layer is off by too: slope·|dZ|, however small Z - Y is.
 *   <li>What D of a layer may be off by relative to its largest element, its gradients and D of the layer below may be off by
 *       too: backpropagation is linear in D.
 *   <li>Numbers below the format's smallest normal one.
 * </ul>
 *
 * <p>All is computed from the reference's values alone: a wrong device cannot widen its own bounds.
 */
final class Bounds {
  private final NetworkSpec network;
  private final Loss loss;
  private final ParameterLayout layout;
  private final Tolerances accuracy;
  private final double[] parameters;
  /** What dropout multiplies the activations by that it keeps. */
  private final double kept;
  private final StepTrace reference;
  private final StepRows rows;
  private final double[] pre;
  private final double[] delta;
  /** Of D of each layer, relative to its largest element: what its gradients inherit, and the layer below. */
  private final double[] relative;

  /**
   * @param parameters before the step
   * @param reference what the reference computed from them
   */
  Bounds(NetworkSpec network, TrainingSpec training, double[] parameters, StepTrace reference, StepRows rows) {
    this.network = network;
    this.loss = training.loss();
    this.layout = ParameterLayout.of(network);
    this.accuracy = Tolerances.of(training.precision());
    this.parameters = parameters;
    kept = training.dropout().map(dropout -> 1 / (1 - dropout.probability())).orElse(1.0);
    this.reference = reference;
    this.rows = rows;
    pre = new double[network.layerCount()];
    for (int layer = 0; layer < pre.length; layer++) {
      double own = accuracy.forward() * Math.max(largest(reference.z()[layer]), termsOfPre(layer));
      pre[layer] = floored(layer == 0 ? own : Math.hypot(own, post(layer - 1) * largestWeightNorm(layer)));
    }
    delta = new double[network.layerCount()];
    relative = new double[network.layerCount()];
    double relativeAbove = accuracy.gradient();
    for (int layer = lastLayer(); layer >= 0; layer--) {
      double largest = largest(reference.delta()[layer]);
      delta[layer] = layer == lastLayer()
          ? floored(accuracy.gradient() * largest + slope() * pre[layer])
          : floored(relativeAbove * Math.max(largest, termsOfDelta(layer)));
      // Where D is all 0 the rest of the backward pass is 0 on every device.
      relative[layer] = largest == 0 ? relativeAbove : delta[layer] / largest;
      relativeAbove = relative[layer];
    }
  }

  double pre(int layer) {
    return pre[layer];
  }

  /** No activation is steeper than 1.13, and A's own rounding comes on top; dropout's factor multiplies what Z is off by. */
  double post(int layer) {
    boolean linear = network.layer(layer).activation() == Activation.LINEAR;
    if (linear && (kept == 1 || layer == lastLayer())) {
      return pre[layer];
    }
    return floored((linear ? 1 : 1.13) * kept * pre[layer] + accuracy.forward() * largest(reference.a()[layer]));
  }

  double delta(int layer) {
    return delta[layer];
  }

  /** The batch's loss moves by D·dZ, and by dZ² beside a target that is met; the cross-entropies by at most dZ. */
  double loss() {
    double forward = pre[lastLayer()];
    double steepness = 0;
    for (double value : reference.delta()[lastLayer()]) {
      steepness += Math.abs(value);
    }
    return floored(accuracy.loss() * Math.abs(reference.loss())
        + forward * (loss.isClassification() ? 1 : steepness + forward));
  }

  double gradient(ParameterLayout.Slice slice) {
    int layer = slice.layer();
    double[] delta = reference.delta()[layer];
    int units = slice.rows();
    double size = 0;
    for (int at = 0; at < slice.size(); at++) {
      size = Math.max(size, Math.abs(reference.gradients()[slice.offset() + at]));
      double squares = 0;
      for (int i = 0; i < rows.size(); i++) {
        double in = slice.isBias() ? 1 : in(layer, i, at % slice.columns());
        double term = delta[i * units + at / slice.columns()] * in;
        squares += term * term;
      }
      size = Math.max(size, Math.sqrt(squares));
    }
    double own = relative[layer] * size;
    return floored(slice.isBias() || layer == 0 ? own : Math.hypot(own, post(layer - 1) * largestDeltaNorm(layer)));
  }

  /** Of a moment before and after the update, or of the change of the parameters. */
  double update(double size) {
    return floored(accuracy.update() * size);
  }

  /** What layer reads: row i of X, or of A of the layer before. */
  private double in(int layer, int i, int column) {
    return layer == 0 ? rows.x(i, column) : reference.a()[layer - 1][i * network.layer(layer).in() + column];
  }

  /** Of the weights of one unit: how a layer hands on independent errors of its inputs. */
  private double largestWeightNorm(int layer) {
    ParameterLayout.Slice weight = layout.weight(layer);
    double most = 0;
    for (int unit = 0; unit < weight.rows(); unit++) {
      double squares = 0;
      for (int k = 0; k < weight.columns(); k++) {
        double value = parameters[weight.offset() + unit * weight.columns() + k];
        squares += value * value;
      }
      most = Math.max(most, squares);
    }
    return Math.sqrt(most);
  }

  /** Of D of one unit over the batch: how dW hands on independent errors of A. */
  private double largestDeltaNorm(int layer) {
    double[] delta = reference.delta()[layer];
    int units = network.layer(layer).out();
    double most = 0;
    for (int unit = 0; unit < units; unit++) {
      double squares = 0;
      for (int at = unit; at < delta.length; at += units) {
        squares += delta[at] * delta[at];
      }
      most = Math.max(most, squares);
    }
    return Math.sqrt(most);
  }

  private double termsOfPre(int layer) {
    ParameterLayout.Slice weight = layout.weight(layer);
    double most = 0;
    for (int i = 0; i < rows.size(); i++) {
      for (int unit = 0; unit < weight.rows(); unit++) {
        double bias = parameters[layout.bias(layer).offset() + unit];
        double squares = bias * bias;
        for (int k = 0; k < weight.columns(); k++) {
          double term = in(layer, i, k) * parameters[weight.offset() + unit * weight.columns() + k];
          squares += term * term;
        }
        most = Math.max(most, squares);
      }
    }
    return Math.sqrt(most);
  }

  private double termsOfDelta(int layer) {
    double[] above = reference.delta()[layer + 1];
    int units = network.layer(layer).out();
    int unitsAbove = network.layer(layer + 1).out();
    int weights = layout.weight(layer + 1).offset();
    double most = 0;
    for (int at = 0; at < rows.size() * units; at++) {
      double sum = 0;
      double squares = 0;
      for (int j = 0; j < unitsAbove; j++) {
        double term = above[at / units * unitsAbove + j] * parameters[weights + j * units + at % units];
        sum += term;
        squares += term * term;
      }
      if (sum != 0) {
        // |D| over |the sum| is the derivative of the activation.
        most = Math.max(most, Math.sqrt(squares) * Math.abs(reference.delta()[layer][at] / sum));
      }
    }
    return most;
  }

  /** The largest second derivative of the loss by an output. */
  private double slope() {
    int batch = rows.size();
    return switch (loss) {
      case MSE -> 2.0 / batch / network.outputs();
      case MAE -> 0;
      case HUBER -> 1.0 / batch / network.outputs();
      case CROSS_ENTROPY -> 1.0 / batch;
      case BINARY_CROSS_ENTROPY -> 0.25 / batch / network.outputs();
    };
  }

  private int lastLayer() {
    return network.layerCount() - 1;
  }

  private double floored(double bound) {
    return bound + accuracy.smallest();
  }

  /** Infinite values count, NaN does not: what is not finite is judged element by element. */
  static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.abs(value) > largest ? Math.abs(value) : largest;
    }
    return largest;
  }
}
