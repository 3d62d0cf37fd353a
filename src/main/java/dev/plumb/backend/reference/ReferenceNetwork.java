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
 * <p>A step with teacher forcing reads Z, A and D of another session in place of its own
 * ({@link dev.plumb.backend.TeacherForced}).
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
  /** The values that the last step computed. */
  private final StepValues values;
  /** The values that the next step reads in place of its own; null for its own. */
  private StepValues forced;

  ReferenceNetwork(NetworkSpec network, TrainingSpec training, ParameterLayout layout, int replica) {
    this.network = network;
    this.training = training;
    this.layout = layout;
    this.replica = replica;
    parameters = new double[layout.size()];
    gradients = new double[layout.size()];
    moment1 = training.optimizer().usesFirstMoment() ? new double[layout.size()] : null;
    moment2 = training.optimizer().usesSecondMoment() ? new double[layout.size()] : null;
    values = StepValues.ofLayers(network.layerCount());
  }

  /** Sets the values that the next step reads in place of its own. */
  void force(StepValues values) {
    forced = values;
  }

  /**
   * Runs one training step.
   *
   * @param t number of this step, from 1
   * @return loss before the update
   * @throws IllegalArgumentException when the values to read in place of its own have another number of rows
   */
  double step(Batch batch, double learningRate, long t) {
    StepValues read = forced == null ? values : forced;
    if (forced != null && forced.z()[0].length != batch.size()) {
      throw new IllegalArgumentException(
          "the step has " + batch.size() + " rows, but the values that it must read have " + forced.z()[0].length);
    }
    forced = null;
    forward(t - 1, batch.x(), values, read);
    double loss = Losses.value(training.loss(), read.z()[network.layerCount() - 1], batch);
    backward(t - 1, batch, read);
    update(learningRate, t);
    return loss;
  }

  /** Updates the parameters from the gradients, as step number t, from 1. */
  void update(double learningRate, long t) {
    Optimizers.update(training.optimizer(), learningRate, t, clipped(), parameters, moment1, moment2);
  }

  /** Returns the outputs [batch][outputs] for features [batch][inputs]. Values of the last step stay unchanged. */
  double[][] predict(double[][] x) {
    StepValues outside = StepValues.ofLayers(network.layerCount());
    forward(NO_STEP, x, outside, outside);
    return outside.a()[network.layerCount() - 1];
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

  /**
   * Computes Z and A of all layers.
   *
   * @param into the values to replace
   * @param read the values that later operations read: the same object, or those of another session
   */
  private void forward(long step, double[][] x, StepValues into, StepValues read) {
    for (int l = 0; l < network.layerCount(); l++) {
      double[][] in = l == 0 ? x : read.a()[l - 1];
      int units = network.layer(l).out();
      double[][] z = new double[x.length][units];
      double[][] a = new double[x.length][units];
      into.z()[l] = z;
      into.a()[l] = a;
      for (int i = 0; i < x.length; i++) {
        for (int unit = 0; unit < units; unit++) {
          double sum = bias(l, unit);
          for (int k = 0; k < in[i].length; k++) {
            sum += in[i][k] * weight(l, unit, k);
          }
          z[i][unit] = sum;
          a[i][unit] = Activations.value(network.layer(l).activation(), read.z()[l][i][unit]) * mask(step, l, i, unit);
        }
      }
    }
  }

  private void backward(long step, Batch batch, StepValues read) {
    int last = network.layerCount() - 1;
    for (int l = last; l >= 0; l--) {
      values.delta()[l] = l == last ? Losses.delta(training.loss(), read.z()[last], batch) : hiddenDelta(step, l, read);
      weightGradients(l, read.delta()[l], l == 0 ? batch.x() : read.a()[l - 1]);
      biasGradients(l);
    }
  }

  /** Returns D[l] = (D[l+1]·W[l+1]) ∘ M[l] ∘ f'(Z[l]). */
  private double[][] hiddenDelta(long step, int l, StepValues read) {
    double[][] above = read.delta()[l + 1];
    double[][] result = new double[above.length][network.layer(l).out()];
    for (int i = 0; i < above.length; i++) {
      for (int unit = 0; unit < result[i].length; unit++) {
        double sum = 0;
        for (int j = 0; j < above[i].length; j++) {
          sum += above[i][j] * weight(l + 1, j, unit);
        }
        result[i][unit] = sum * mask(step, l, i, unit)
            * Activations.derivative(network.layer(l).activation(), read.z()[l][i][unit]);
      }
    }
    return result;
  }

  /** Computes dW[l] = D[l]ᵀ·A[l-1]. */
  private void weightGradients(int l, double[][] delta, double[][] in) {
    int weights = layout.weight(l).offset();
    int columns = layout.weight(l).columns();
    for (int unit = 0; unit < network.layer(l).out(); unit++) {
      for (int k = 0; k < columns; k++) {
        double sum = 0;
        for (int i = 0; i < in.length; i++) {
          sum += delta[i][unit] * in[i][k];
        }
        gradients[weights + unit * columns + k] = sum;
      }
    }
  }

  /** Computes db[l], the sum of D[l] over the batch. */
  private void biasGradients(int l) {
    int biases = layout.bias(l).offset();
    for (int unit = 0; unit < network.layer(l).out(); unit++) {
      double sum = 0;
      for (double[] row : values.delta()[l]) {
        sum += row[unit];
      }
      gradients[biases + unit] = sum;
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
      case PRE -> values.z()[layer];
      case POST -> values.a()[layer];
      case DELTA -> values.delta()[layer];
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
