package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * The largest accepted difference of each tensor of a step from the reference's: one absolute bound per tensor, so that small
 * elements next to large ones are not required to have digits that rounding takes. A bound covers seven effects:
 *
 * <ul>
 *   <li>Rounding within a sum. It grows with the terms, not with the result when they cancel (a gradient near a minimum), so
 *       {@link Tolerances} are relative to the larger of the tensor's largest element and the largest root of the sum of squares
 *       of an element's terms.
 *   <li>In TF32 and bf16, truncation within a product's sum on tensor cores: {@link Tolerances#truncation} of the number of terms,
 *       relative to the same. It grows with that number, not with its root, because every addition truncates towards 0.
 *   <li>The error of A of a layer: Z of the layer above reads it, and so does dW of that layer.
 *   <li>The error of the forward pass, which D of the output layer inherits: slope·|dZ|, even if Z - Y is small.
 *   <li>The error of D of a layer relative to its largest element, which its gradients and D of the layer below inherit:
 *       backpropagation is linear in D.
 *   <li>In D, the rounding of 1 - A in derivatives of saturated sigmoid and tanh units.
 *   <li>Numbers below the smallest normal number of the format.
 * </ul>
 *
 * <p>If the precision rounds factors, or the network has normalizations or residual connections, the reference repeats each of the
 * device's operations: it reads the device's A, D, H and Z. Then bounds cover only the first two and the last two effects, and in D
 * the rounding of Z - Y and of exponentials of Z. Those of normalizations and residual connections are in {@link LayerBounds}.
 * Half a unit in the last place of what is stored rounded is not included: {@link StepComparison} adds it element by element.
 *
 * <p>Bounds are computed only from the reference's values, and from the operands that it read, each of which was compared before:
 * a wrong device cannot widen the bounds of its first wrong tensor.
 */
final class Bounds {
  /**
   * The derivatives of sigmoid and tanh are computed from 1 - A, which is off by some roundings of 1: below this derivative, by
   * more than the tolerance.
   */
  static final double MIN_EXACT_SLOPE = 0.05;

  private final NetworkSpec network;
  private final Loss loss;
  private final ParameterLayout layout;
  private final Tolerances tolerances;
  private final double[] parameters;
  /** The factor by which dropout multiplies the activations that it keeps. */
  private final double dropoutScale;
  private final StepTrace reference;
  private final StepTrace operands;
  private final boolean repeatsOperations;
  private final StepRows rows;
  /** The bounds of each hidden layer in a network with normalizations or residual connections; otherwise empty. */
  private final List<LayerBounds> hidden = new ArrayList<>();
  private final double[] pre;
  private final double[] delta;
  /** The bound of D of each layer relative to its largest element, which its gradients and the layer below can inherit. */
  private final double[] relative;

  /**
   * @param parameters that the reference's step read
   * @param reference the values that the reference computed from them
   * @param operands the values whose A and D the reference's products read: its own, or the device's
   */
  Bounds(NetworkSpec network, TrainingSpec training, double[] parameters, StepTrace reference, StepTrace operands,
      StepRows rows) {
    this.network = network;
    this.loss = training.loss();
    this.layout = ParameterLayout.of(network);
    this.tolerances = Tolerances.of(training.precision());
    this.parameters = parameters;
    dropoutScale = training.dropout().map(dropout -> 1 / (1 - dropout.probability())).orElse(1.0);
    this.reference = reference;
    this.operands = operands;
    repeatsOperations = repeatsOperations(network, training);
    this.rows = rows;
    pre = new double[network.layerCount()];
    for (int layer = 0; layer < pre.length; layer++) {
      double own = (tolerances.forward() + tolerances.truncation(network.layer(layer).in()))
          * Math.max(largest(reference.z()[layer]), termsOfPre(layer));
      pre[layer] = floored(layer == 0 || repeatsOperations ? own : Math.hypot(own, post(layer - 1) * largestWeightNorm(layer)));
    }
    if (!network.isPlain()) {
      addHidden();
    }
    delta = new double[network.layerCount()];
    relative = new double[network.layerCount()];
    double relativeAbove = tolerances.gradient();
    for (int layer = lastLayer(); layer >= 0; layer--) {
      double largest = largest(reference.delta()[layer]);
      delta[layer] = layer == lastLayer()
          ? floored(tolerances.gradient() * largest + slope() * pre[layer])
          : floored((relativeAbove + tolerances.truncation(network.layer(layer + 1).out()))
              * Math.max(largest, hidden.isEmpty() ? termsOfDelta(layer) : hidden.get(layer).termsOfDelta()));
      // If D is all 0, the rest of the backward pass is 0 on every device.
      relative[layer] = largest == 0 ? relativeAbove : delta[layer] / largest;
      relativeAbove = repeatsOperations ? tolerances.gradient() : relative[layer];
    }
  }

  /** Returns whether the reference repeats the device's operations from the device's values. */
  static boolean repeatsOperations(NetworkSpec network, TrainingSpec training) {
    return training.precision().roundsFactors() || !network.isPlain();
  }

  boolean repeatsOperations() {
    return repeatsOperations;
  }

  private void addHidden() {
    double[] above = null;
    for (int layer = lastLayer() - 1; layer >= 0; layer--) {
      double[] sizes = productSizes(layer);
      if (network.layer(layer + 1).residual()) {
        for (int at = 0; at < sizes.length; at++) {
          sizes[at] = Math.hypot(sizes[at], above[at]);
        }
      }
      above = sizes;
      hidden.add(0, new LayerBounds(network, layer, parameters, operands, sizes, dropoutScale));
    }
  }

  /** Returns for each element of dLoss/dA the root of the sum of squares of the terms of D[layer + 1]·W[layer + 1]. */
  private double[] productSizes(int layer) {
    double[] above = operands.delta()[layer + 1];
    int units = network.layer(layer).out();
    int unitsAbove = network.layer(layer + 1).out();
    int weights = layout.weight(layer + 1).offset();
    double[] sizes = new double[rows.size() * units];
    for (int at = 0; at < sizes.length; at++) {
      double squares = 0;
      for (int j = 0; j < unitsAbove; j++) {
        double term = above[at / units * unitsAbove + j] * parameters[weights + j * units + at % units];
        squares += term * term;
      }
      sizes[at] = Math.sqrt(squares);
    }
    return sizes;
  }

  double pre(int layer) {
    return pre[layer];
  }

  /** Returns the bound of H of a layer with normalization. */
  double normalized(int layer) {
    return floored(tolerances.forward() * Math.max(largest(reference.h()[layer]), hidden.get(layer).termsOfNormalized()));
  }

  /** Returns the bound of running statistics after the step, without the rounding of storing them. */
  double statistics(ParameterLayout.Slice slice) {
    return floored(tolerances.forward() * hidden.get(slice.layer()).termsOfStatistics(slice.kind()));
  }

  /** Returns the bound of A. No activation is steeper than 1.13; A's own rounding is added; dropout scales the error of Z. */
  double post(int layer) {
    double own = tolerances.forward() * largest(reference.a()[layer]);
    if (network.layer(layer).residual()) {
      // The sum may be smaller than its terms.
      own = Math.max(own, tolerances.forward() * largestInput(layer));
    }
    if (repeatsOperations) {
      return floored(own);
    }
    boolean linear = network.layer(layer).activation() == Activation.LINEAR;
    if (linear && (dropoutScale == 1 || layer == lastLayer())) {
      return pre[layer];
    }
    return floored((linear ? 1 : 1.13) * dropoutScale * pre[layer] + own);
  }

  double delta(int layer) {
    return delta[layer];
  }

  /** Returns the bound of the loss. It changes by D·dZ, plus dZ² near the target; cross-entropies by at most dZ. */
  double loss() {
    double forward = pre[lastLayer()];
    double steepness = 0;
    for (double value : reference.delta()[lastLayer()]) {
      steepness += Math.abs(value);
    }
    return floored(tolerances.loss() * Math.abs(reference.loss())
        + forward * (loss.isClassification() ? 1 : steepness + forward));
  }

  double gradient(ParameterLayout.Slice slice) {
    int layer = slice.layer();
    if (slice.kind() == ParameterLayout.Kind.SCALE || slice.kind() == ParameterLayout.Kind.SHIFT) {
      return floored(tolerances.gradient() * hidden.get(layer).termsOfGradient(slice.kind()));
    }
    // db sums D itself.
    double[] delta = (slice.isBias() ? reference : operands).delta()[layer];
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
    double truncation = slice.isBias() ? 0 : tolerances.truncation(rows.size());
    if (repeatsOperations && !slice.isBias()) {
      return floored((tolerances.gradient() + truncation) * size);
    }
    if (slice.isBias() && layer < hidden.size()) {
      // Through a normalization, terms of D cancel, and the sum of D again.
      size = Math.max(size, hidden.get(layer).termsOfDelta() * Math.sqrt(rows.size()));
      return floored(tolerances.gradient() * size);
    }
    double own = (relative[layer] + truncation) * size;
    return floored(slice.isBias() || layer == 0 ? own : Math.hypot(own, post(layer - 1) * largestDeltaNorm(layer)));
  }

  /**
   * Returns the bound of an update.
   *
   * @param size of the moment before and after the update, or of the change of the parameters
   */
  double update(double size) {
    return floored(tolerances.update() * size);
  }

  /** Returns an input of a layer: from row i of X, or of A of the layer before. */
  private double in(int layer, int i, int column) {
    return layer == 0 ? rows.x(i, column) : operands.a()[layer - 1][i * network.layer(layer).in() + column];
  }

  private double largestInput(int layer) {
    double largest = 0;
    for (int i = 0; i < rows.size(); i++) {
      for (int k = 0; k < network.layer(layer).in(); k++) {
        largest = Math.max(largest, Math.abs(in(layer, i, k)));
      }
    }
    return largest;
  }

  /** Returns the largest norm of the weights of one unit: the factor for independent errors of the inputs. */
  private double largestWeightNorm(int layer) {
    ParameterLayout.Slice weight = layout.weight(layer);
    double largest = 0;
    for (int unit = 0; unit < weight.rows(); unit++) {
      double squares = 0;
      for (int k = 0; k < weight.columns(); k++) {
        double value = parameters[weight.offset() + unit * weight.columns() + k];
        squares += value * value;
      }
      largest = Math.max(largest, squares);
    }
    return Math.sqrt(largest);
  }

  /** Returns the largest norm of D of one unit over the batch: the factor for independent errors of A in dW. */
  private double largestDeltaNorm(int layer) {
    double[] delta = reference.delta()[layer];
    int units = network.layer(layer).out();
    double largest = 0;
    for (int unit = 0; unit < units; unit++) {
      double squares = 0;
      for (int at = unit; at < delta.length; at += units) {
        squares += delta[at] * delta[at];
      }
      largest = Math.max(largest, squares);
    }
    return Math.sqrt(largest);
  }

  private double termsOfPre(int layer) {
    ParameterLayout.Slice weight = layout.weight(layer);
    double largest = 0;
    for (int i = 0; i < rows.size(); i++) {
      for (int unit = 0; unit < weight.rows(); unit++) {
        double bias = parameters[layout.bias(layer).offset() + unit];
        double squares = bias * bias;
        for (int k = 0; k < weight.columns(); k++) {
          double term = in(layer, i, k) * parameters[weight.offset() + unit * weight.columns() + k];
          squares += term * term;
        }
        largest = Math.max(largest, squares);
      }
    }
    return Math.sqrt(largest);
  }

  private double termsOfDelta(int layer) {
    double[] above = operands.delta()[layer + 1];
    int units = network.layer(layer).out();
    int unitsAbove = network.layer(layer + 1).out();
    int weights = layout.weight(layer + 1).offset();
    double largest = 0;
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
        largest = Math.max(largest, Math.sqrt(squares) * Math.abs(reference.delta()[layer][at] / sum));
      }
      if (saturates(network.layer(layer).activation()) && reference.a()[layer][at] != 0) {
        // Where A is 0, the unit is dropped, or 1 - A is exact.
        largest = Math.max(largest, Math.abs(sum) * dropoutScale * MIN_EXACT_SLOPE);
      }
    }
    return largest;
  }

  private static boolean saturates(Activation activation) {
    return activation == Activation.SIGMOID || activation == Activation.TANH;
  }

  /** Returns the largest second derivative of the loss with respect to an output, which is in the row of the largest weight. */
  private double slope() {
    double batch = rows.effectiveSize();
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
    return bound + tolerances.smallest();
  }

  /** Returns the largest absolute value, including infinity but not NaN: values that are not finite are compared one by one. */
  static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.abs(value) > largest ? Math.abs(value) : largest;
    }
    return largest;
  }
}
