package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;

/**
 * The sizes of the terms that are added in one hidden layer with a normalization or a residual connection, from which
 * {@link Bounds} computes bounds. With the mean m and r = 1 / sqrt(variance + epsilon) of the group of an element (its unit over the
 * batch, or its row), x = (z - m)·r, scale s and shift t:
 *
 * <pre>
 *   h = s·x + t              z - m errs by the rounding of |z| + |m|, and so does r relative to itself, times r
 *   dLoss/dh = dLoss/da·f'   f' is bounded by the slope at h
 *   dLoss/dz = r·(s·dLoss/dh - mean of (s·dLoss/dh) - x·mean of (s·dLoss/dh·x))
 * </pre>
 */
final class LayerBounds {
  /** No activation is steeper. */
  private static final double MAX_SLOPE = 1.13;

  private final double[] parameters;
  private final ParameterLayout layout;
  private final Normalization normalization;
  private final int layer;
  private final int units;
  private final int batch;
  private final double[] z;
  private final double[] h;
  /** Of each group. */
  private final double[] mean;
  private final double[] inverse;
  /** Of each element of dLoss/dH. */
  private final double[] sizes;

  /**
   * @param operands the values that the reference read
   * @param outputSizes for each element of dLoss/dA, the size of its terms
   * @param dropoutScale the factor by which dropout multiplies the activations that it keeps
   */
  LayerBounds(NetworkSpec network, int layer, double[] parameters, StepTrace operands, double[] outputSizes, double dropoutScale) {
    this.layer = layer;
    this.parameters = parameters;
    layout = ParameterLayout.of(network);
    normalization = network.layer(layer).normalization();
    units = network.layer(layer).out();
    z = operands.z()[layer];
    h = operands.h()[layer];
    batch = z.length / units;
    sizes = new double[z.length];
    for (int at = 0; at < sizes.length; at++) {
      sizes[at] = outputSizes[at] * dropoutScale * slope(network.layer(layer).activation(), h[at]);
    }
    int groups = normalization == Normalization.LAYER ? batch : units;
    mean = new double[groups];
    inverse = new double[groups];
    int size = z.length / groups;
    for (int at = 0; at < z.length; at++) {
      mean[group(at)] += z[at] / size;
    }
    for (int at = 0; at < z.length; at++) {
      inverse[group(at)] += (z[at] - mean[group(at)]) * (z[at] - mean[group(at)]) / size;
    }
    for (int group = 0; group < groups; group++) {
      inverse[group] = 1 / Math.sqrt(inverse[group] + Normalization.EPSILON);
    }
  }

  private int group(int at) {
    return normalization == Normalization.LAYER ? at / units : at % units;
  }

  private double parameter(Kind kind, int at) {
    return parameters[layout.slice(kind, layer).offset() + at % units];
  }

  /** Returns an upper bound of the derivative of an activation, which is close to it where sigmoid and tanh saturate. */
  private static double slope(Activation activation, double at) {
    return switch (activation) {
      case SIGMOID -> Math.max(Bounds.MIN_EXACT_SLOPE, 0.25 / Math.pow(Math.cosh(at / 2), 2));
      case TANH -> Math.max(Bounds.MIN_EXACT_SLOPE, 1 / Math.pow(Math.cosh(at), 2));
      default -> MAX_SLOPE;
    };
  }

  /** Returns (|z| + |m|)·r: by how much rounding of Z is amplified in x. */
  private double amplification(int at) {
    return (Math.abs(z[at]) + Math.abs(mean[group(at)])) * inverse[group(at)];
  }

  private double x(int at) {
    return Math.abs(z[at] - mean[group(at)]) * inverse[group(at)];
  }

  /** Returns the largest size of the terms of an element of H. */
  double termsOfNormalized() {
    double largest = 0;
    for (int at = 0; at < z.length; at++) {
      double term = Math.abs(parameter(Kind.SCALE, at)) * amplification(at) * (1 + x(at)) + Math.abs(parameter(Kind.SHIFT, at));
      largest = Math.max(largest, term);
    }
    return largest;
  }

  /** Returns the largest size of the terms of an element of D. */
  double termsOfDelta() {
    if (normalization == Normalization.NONE) {
      return Bounds.largest(sizes);
    }
    double[] largestOfGroup = new double[mean.length];
    double[] amplificationOfGroup = new double[mean.length];
    for (int at = 0; at < z.length; at++) {
      int group = group(at);
      largestOfGroup[group] = Math.max(largestOfGroup[group], Math.abs(parameter(Kind.SCALE, at)) * sizes[at]);
      amplificationOfGroup[group] = Math.max(amplificationOfGroup[group], amplification(at));
    }
    double largest = 0;
    for (int at = 0; at < z.length; at++) {
      int group = group(at);
      double term = inverse[group] * largestOfGroup[group] * (2 + x(at)) * (1 + amplificationOfGroup[group]);
      largest = Math.max(largest, term);
    }
    return largest;
  }

  /**
   * Returns the largest size of the terms of an element of a gradient.
   *
   * @param kind SCALE or SHIFT
   */
  double termsOfGradient(Kind kind) {
    double largest = 0;
    for (int unit = 0; unit < units; unit++) {
      double squares = 0;
      for (int at = unit; at < z.length; at += units) {
        double term = sizes[at] * (kind == Kind.SHIFT ? 1 : Math.max(x(at), amplification(at)));
        squares += term * term;
      }
      largest = Math.max(largest, squares);
    }
    return Math.sqrt(largest);
  }

  /**
   * Returns the largest size of the terms of a batch's contribution to running statistics.
   *
   * @param kind RUNNING_MEAN or RUNNING_VARIANCE
   */
  double termsOfStatistics(Kind kind) {
    double largest = 0;
    for (int at = 0; at < z.length; at++) {
      double size = Math.abs(z[at]) + Math.abs(mean[group(at)]);
      double term = kind == Kind.RUNNING_MEAN ? size : size * Math.abs(z[at] - mean[group(at)]) * batch / (batch - 1);
      largest = Math.max(largest, term);
    }
    return Normalization.MOMENTUM * largest;
  }
}
