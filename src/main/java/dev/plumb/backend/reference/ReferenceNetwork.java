package dev.plumb.backend.reference;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tap;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;

/**
 * One network in training, computed by plain loops over doubles. For layer l, with A[-1] = X:
 *
 * <pre>
 *   forward    Z[l] = A[l-1]·W[l]ᵀ + b[l]            A[l] = f(Z[l]) ∘ M[l]
 *   backward   D[last] = dLoss/dZ[last]              D[l] = (D[l+1]·W[l+1]) ∘ M[l] ∘ f'(Z[l])
 *              dW[l] = D[l]ᵀ·A[l-1]                  db[l] = Σ over the batch of D[l]
 * </pre>
 *
 * <p>Z, A, D and M are [batch][units]; W [out x in] and b [out] are slices of the flat vector of parameters. The dropout mask M
 * is 1, except in hidden layers in a step with dropout: there it is 0 for dropped values and 1 / (1 - probability) for others.
 */
final class ReferenceNetwork {
  /** Step number of a forward pass outside of training. */
  private static final long NO_STEP = -1;

  private final NetworkSpec network;
  private final TrainingSpec training;
  private final ParameterLayout layout;
  private final int replica;
  private final double[] parameters;
  private final double[] gradients;
  private final double[] moment1;
  private final double[] moment2;
  private final double[][][] z;
  private final double[][][] a;
  private final double[][][] delta;

  ReferenceNetwork(NetworkSpec network, TrainingSpec training, ParameterLayout layout, int replica) {
    this.network = network;
    this.training = training;
    this.layout = layout;
    this.replica = replica;
    parameters = new double[layout.size()];
    gradients = new double[layout.size()];
    moment1 = training.optimizer().usesFirstMoment() ? new double[layout.size()] : null;
    moment2 = training.optimizer().usesSecondMoment() ? new double[layout.size()] : null;
    z = new double[network.layerCount()][][];
    a = new double[network.layerCount()][][];
    delta = new double[network.layerCount()][][];
  }

  /**
   * Runs one training step.
   *
   * @param t number of this step, from 1
   * @return loss before the update
   */
  double step(Batch batch, double learningRate, long t) {
    double[][] outputs = forward(t - 1, batch.x(), z, a);
    double loss = Losses.value(training.loss(), outputs, batch);
    backward(t - 1, batch);
    update(learningRate, t);
    return loss;
  }

  /** Updates the parameters from the gradients, as step number t, from 1. */
  void update(double learningRate, long t) {
    Optimizers.update(training.optimizer(), learningRate, t, clipped(), parameters, moment1, moment2);
  }

  /** Returns the outputs [batch][outputs] for features [batch][inputs]. Values of the last step stay unchanged. */
  double[][] predict(double[][] x) {
    return forward(NO_STEP, x, new double[network.layerCount()][][], new double[network.layerCount()][][]);
  }

  /** Returns one element of M[l] in the given step, from 0. */
  private double mask(long step, int l, int i, int unit) {
    if (step == NO_STEP || training.dropout().isEmpty() || l == network.layerCount() - 1) {
      return 1;
    }
    Dropout dropout = training.dropout().get();
    long element = (long) i * network.layer(l).out() + unit;
    return Philox.drops(dropout, replica, step, l, element) ? 0 : 1 / (1 - dropout.probability());
  }

  private double[][] forward(long step, double[][] x, double[][][] z, double[][][] a) {
    for (int l = 0; l < network.layerCount(); l++) {
      double[][] in = l == 0 ? x : a[l - 1];
      int units = network.layer(l).out();
      z[l] = new double[x.length][units];
      a[l] = new double[x.length][units];
      for (int i = 0; i < x.length; i++) {
        for (int unit = 0; unit < units; unit++) {
          double sum = bias(l, unit);
          for (int k = 0; k < in[i].length; k++) {
            sum += in[i][k] * weight(l, unit, k);
          }
          z[l][i][unit] = sum;
          a[l][i][unit] = Activations.value(network.layer(l).activation(), sum) * mask(step, l, i, unit);
        }
      }
    }
    return a[network.layerCount() - 1];
  }

  private void backward(long step, Batch batch) {
    int last = network.layerCount() - 1;
    delta[last] = Losses.delta(training.loss(), z[last], batch);
    for (int l = last; l >= 0; l--) {
      if (l < last) {
        delta[l] = hiddenDelta(step, l);
      }
      parameterGradients(l, l == 0 ? batch.x() : a[l - 1]);
    }
  }

  /** Returns D[l] = (D[l+1]·W[l+1]) ∘ M[l] ∘ f'(Z[l]). */
  private double[][] hiddenDelta(long step, int l) {
    double[][] above = delta[l + 1];
    double[][] result = new double[above.length][network.layer(l).out()];
    for (int i = 0; i < above.length; i++) {
      for (int unit = 0; unit < result[i].length; unit++) {
        double sum = 0;
        for (int j = 0; j < above[i].length; j++) {
          sum += above[i][j] * weight(l + 1, j, unit);
        }
        result[i][unit] = sum * mask(step, l, i, unit)
            * Activations.derivative(network.layer(l).activation(), z[l][i][unit]);
      }
    }
    return result;
  }

  /** Computes dW[l] = D[l]ᵀ·A[l-1] and db[l], the sum of D[l] over the batch. */
  private void parameterGradients(int l, double[][] in) {
    int weights = layout.weight(l).offset();
    int biases = layout.bias(l).offset();
    int columns = layout.weight(l).columns();
    for (int unit = 0; unit < network.layer(l).out(); unit++) {
      double deltaSum = 0;
      for (int i = 0; i < in.length; i++) {
        deltaSum += delta[l][i][unit];
      }
      gradients[biases + unit] = deltaSum;
      for (int k = 0; k < columns; k++) {
        double sum = 0;
        for (int i = 0; i < in.length; i++) {
          sum += delta[l][i][unit] * in[i][k];
        }
        gradients[weights + unit * columns + k] = sum;
      }
    }
  }

  /** Returns the gradients, scaled down when their norm over all parameters is above the clip norm. */
  private double[] clipped() {
    if (training.clipNorm().isEmpty()) {
      return gradients;
    }
    double scale = Optimizers.clipScale(norm(0, gradients.length), training.clipNorm().getAsDouble());
    double[] scaled = new double[gradients.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = gradients[i] * scale;
    }
    return scaled;
  }

  /** Returns the Frobenius norm of dW of each layer in the last step. */
  double[] gradientNorms() {
    double[] norms = new double[network.layerCount()];
    for (int l = 0; l < norms.length; l++) {
      norms[l] = norm(layout.weight(l).offset(), layout.weight(l).size());
    }
    return norms;
  }

  boolean gradientsAreFinite() {
    for (double gradient : gradients) {
      if (!Double.isFinite(gradient)) {
        return false;
      }
    }
    return true;
  }

  /** Returns one vector [parameters] itself, not a copy; null for a moment that the optimizer does not keep. */
  double[] vector(Slot slot) {
    return switch (slot) {
      case PARAMETERS -> parameters;
      case GRADIENTS -> gradients;
      case MOMENT1 -> moment1;
      case MOMENT2 -> moment2;
    };
  }

  /** Returns values [batch][units] of the last step. */
  double[][] tap(Tap where, int layer) {
    return switch (where) {
      case PRE -> z[layer];
      case POST -> a[layer];
      case DELTA -> delta[layer];
    };
  }

  private double norm(int offset, int size) {
    double sum = 0;
    for (int i = offset; i < offset + size; i++) {
      sum += gradients[i] * gradients[i];
    }
    return Math.sqrt(sum);
  }

  private double weight(int layer, int out, int in) {
    ParameterLayout.Slice slice = layout.weight(layer);
    return parameters[slice.offset() + out * slice.columns() + in];
  }

  private double bias(int layer, int out) {
    return parameters[layout.bias(layer).offset() + out];
  }
}
