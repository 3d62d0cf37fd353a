package dev.plumb.check;

import dev.plumb.data.Dataset;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * One network in training with rounded factors: loops over floats, whose sums are floats. A number with 16 in its name is
 * rounded to bfloat16, unless a {@link Bfloat16Fault} is to be found.
 */
final class Bfloat16Network {
  /**
   * The rows of a step.
   *
   * @param indices null for all rows
   */
  record Rows(Dataset data, int[] indices) {
    int size() {
      return indices == null ? data.rows() : indices.length;
    }

    int row(int i) {
      return indices == null ? i : indices[i];
    }

    float x(int i, int column) {
      return (float) data.feature(row(i), column);
    }

    float y(int i, int column) {
      return (float) data.target(row(i), column);
    }

    int label(int i) {
      return data.label(row(i));
    }

    float weight(int i) {
      return (float) data.weight(row(i));
    }
  }

  private final NetworkSpec network;
  private final TrainingSpec training;
  private final ParameterLayout layout;
  private final int replica;
  private final Bfloat16Fault fault;
  final float[] parameters;
  final float[] gradients;
  /** The weights that products read; biases are not rounded. */
  private float[] operands;
  /** [layer][batch x units] */
  final float[][] z;
  final float[][] a;
  private final float[][] unroundedA;
  final float[][] delta16;
  private final float[][] delta;

  Bfloat16Network(NetworkSpec network, TrainingSpec training, int replica, Bfloat16Fault fault) {
    this.network = network;
    this.training = training;
    this.replica = replica;
    this.fault = fault;
    layout = ParameterLayout.of(network);
    parameters = new float[layout.size()];
    gradients = new float[layout.size()];
    z = new float[network.layerCount()][];
    a = new float[network.layerCount()][];
    unroundedA = new float[network.layerCount()][];
    delta = new float[network.layerCount()][];
    delta16 = new float[network.layerCount()][];
  }

  /**
   * Computes the gradients of a step.
   *
   * @param step number of steps before it
   * @return the loss
   */
  float step(Rows rows, long step) {
    refreshOperands();
    float[] x16 = new float[rows.size() * network.inputs()];
    for (int at = 0; at < x16.length; at++) {
      x16[at] = rounded(rows.x(at / network.inputs(), at % network.inputs()),
          Bfloat16Fault.FEATURES_TRUNCATED, Bfloat16Fault.FEATURES_IN_FP16, Bfloat16Fault.NONE);
    }
    for (int l = 0; l < network.layerCount(); l++) {
      forward(l, l == 0 ? x16 : a[l - 1], rows.size(), step);
    }
    int last = network.layerCount() - 1;
    float divisor = divisor(rows);
    delta[last] = outputDelta(rows, divisor);
    for (int l = last; l >= 0; l--) {
      if (l < last) {
        delta[l] = hiddenDelta(l, step);
      }
      delta16[l] = new float[delta[l].length];
      for (int at = 0; at < delta[l].length; at++) {
        delta16[l][at] = rounded(delta[l][at],
            Bfloat16Fault.DELTAS_TRUNCATED, Bfloat16Fault.DELTAS_IN_FP16, Bfloat16Fault.DELTAS_NOT_ROUNDED);
      }
      boolean unrounded = fault == Bfloat16Fault.WEIGHT_GRADIENT_OF_UNROUNDED_ACTIVATIONS;
      gradients(l, l == 0 ? x16 : unrounded ? unroundedA[l - 1] : a[l - 1], rows.size());
    }
    return loss(rows, divisor);
  }

  private void refreshOperands() {
    if (operands != null && fault == Bfloat16Fault.WEIGHTS_NOT_REFRESHED) {
      return;
    }
    operands = parameters.clone();
    for (ParameterLayout.Slice slice : layout.slices()) {
      for (int at = slice.offset(); at < slice.offset() + slice.size(); at++) {
        if (!slice.isBias() || fault == Bfloat16Fault.BIASES_ROUNDED) {
          operands[at] = rounded(parameters[at],
              Bfloat16Fault.WEIGHTS_TRUNCATED, Bfloat16Fault.WEIGHTS_IN_FP16, Bfloat16Fault.NONE);
          if (fault == Bfloat16Fault.UPDATE_OF_ROUNDED_WEIGHTS) {
            parameters[at] = operands[at];
          }
        }
      }
    }
  }

  private void forward(int l, float[] in, int batch, long step) {
    ParameterLayout.Slice weight = layout.weight(l);
    z[l] = new float[batch * weight.rows()];
    a[l] = new float[z[l].length];
    unroundedA[l] = new float[z[l].length];
    for (int at = 0; at < z[l].length; at++) {
      int i = at / weight.rows();
      int unit = at % weight.rows();
      float sum = sum(weight.columns(),
          k -> in[i * weight.columns() + k] * operands[weight.offset() + unit * weight.columns() + k]);
      z[l][at] = sum + operands[layout.bias(l).offset() + unit];
      if (fault == Bfloat16Fault.SUMS_ROUNDED) {
        z[l][at] = Bfloat16.rounded(z[l][at]);
      }
      if (l == network.layerCount() - 1) {
        a[l][at] = z[l][at];
        continue;
      }
      float activated = FloatFunctions.activation(network.activation(), z[l][at]);
      if (fault == Bfloat16Fault.DROPOUT_AFTER_ROUNDING) {
        activated = Bfloat16.rounded(activated);
      }
      unroundedA[l][at] = activated * mask(l, at, step);
      a[l][at] = rounded(unroundedA[l][at],
          Bfloat16Fault.ACTIVATIONS_TRUNCATED, Bfloat16Fault.ACTIVATIONS_IN_FP16, Bfloat16Fault.ACTIVATIONS_NOT_ROUNDED);
    }
  }

  private float mask(int l, int at, long step) {
    if (training.dropout().isEmpty()) {
      return 1;
    }
    Dropout dropout = training.dropout().get();
    return FloatFunctions.drops(dropout, replica, step, l, at) ? 0 : (float) (1 / (1 - dropout.probability()));
  }

  private float[] hiddenDelta(int l, long step) {
    ParameterLayout.Slice above = layout.weight(l + 1);
    float[] weights = fault == Bfloat16Fault.BACKWARD_WEIGHTS_NOT_ROUNDED ? parameters : operands;
    float[] values = new float[z[l].length];
    for (int at = 0; at < values.length; at++) {
      int i = at / above.columns();
      int unit = at % above.columns();
      float sum = sum(above.rows(),
          j -> delta16[l + 1][i * above.rows() + j] * weights[above.offset() + j * above.columns() + unit]);
      float input = fault == Bfloat16Fault.DERIVATIVE_AT_ROUNDED_SUMS ? Bfloat16.rounded(z[l][at]) : z[l][at];
      values[at] = sum * mask(l, at, step) * FloatFunctions.derivative(network.activation(), input);
    }
    return values;
  }

  private void gradients(int l, float[] in, int batch) {
    ParameterLayout.Slice weight = layout.weight(l);
    int units = weight.rows();
    float[] forWeights = fault == Bfloat16Fault.WEIGHT_GRADIENT_OF_UNROUNDED_DELTAS ? delta[l] : delta16[l];
    float[] forBiases = fault == Bfloat16Fault.BIAS_GRADIENT_OF_ROUNDED_DELTAS ? delta16[l] : delta[l];
    for (int at = 0; at < weight.size(); at++) {
      int unit = at / weight.columns();
      int k = at % weight.columns();
      gradients[weight.offset() + at] = sum(batch, i -> forWeights[i * units + unit] * in[i * weight.columns() + k]);
    }
    Arrays.fill(gradients, layout.bias(l).offset(), layout.bias(l).offset() + units, 0);
    for (int at = 0; at < batch * units; at++) {
      gradients[layout.bias(l).offset() + at % units] += forBiases[at];
    }
  }

  /** Returns a sum of products, which are floats. */
  private float sum(int products, IntToDoubleFunction product) {
    boolean truncates = fault == Bfloat16Fault.SUMS_TRUNCATED || fault == Bfloat16Fault.EVERY_SUM_TRUNCATED;
    int atOnce = fault == Bfloat16Fault.SUMS_TRUNCATED ? 8 : 1;
    float sum = 0;
    for (int first = 0; first < products; first += atOnce) {
      double exact = sum;
      for (int i = first; i < Math.min(first + atOnce, products); i++) {
        exact += product.applyAsDouble(i);
      }
      sum = (float) exact;
      if (truncates && Math.abs(sum) > Math.abs(exact)) {
        sum = Math.nextAfter(sum, 0);
      }
    }
    return sum;
  }

  /** Returns the sum of the weights, times the outputs for the losses that are means over them. */
  private float divisor(Rows rows) {
    double sum = 0;
    for (int i = 0; i < rows.size(); i++) {
      sum += rows.weight(i);
    }
    return (float) (training.loss() == Loss.CROSS_ENTROPY ? sum : sum * network.outputs());
  }

  private float[] outputDelta(Rows rows, float divisor) {
    int outputs = network.outputs();
    float[] values = new float[rows.size() * outputs];
    for (int at = 0; at < values.length; at++) {
      int i = at / outputs;
      int j = at % outputs;
      float output = z[z.length - 1][at];
      float derivative = training.loss() == Loss.CROSS_ENTROPY
          ? (float) Math.exp(output - FloatFunctions.logSumExp(outputs(i))) - (rows.label(i) == j ? 1 : 0)
          : FloatFunctions.termDerivative(training.loss(), output, rows.y(i, j));
      values[at] = rows.weight(i) * derivative / divisor;
    }
    return values;
  }

  private float loss(Rows rows, float divisor) {
    float sum = 0;
    for (int i = 0; i < rows.size(); i++) {
      float[] outputs = outputs(i);
      float weight = rows.weight(i);
      if (training.loss() == Loss.CROSS_ENTROPY) {
        sum += weight * (FloatFunctions.logSumExp(outputs) - outputs[rows.label(i)]);
        continue;
      }
      for (int j = 0; j < outputs.length; j++) {
        sum += weight * FloatFunctions.term(training.loss(), outputs[j], rows.y(i, j));
      }
    }
    return sum / divisor;
  }

  private float[] outputs(int i) {
    return Arrays.copyOfRange(z[z.length - 1], i * network.outputs(), (i + 1) * network.outputs());
  }

  private float rounded(float value, Bfloat16Fault truncation, Bfloat16Fault half, Bfloat16Fault none) {
    if (fault == Bfloat16Fault.NONE || fault != truncation && fault != half && fault != none) {
      return Bfloat16.rounded(value);
    }
    return fault == truncation ? FloatFunctions.truncated(value) : fault == half ? FloatFunctions.half(value) : value;
  }
}
