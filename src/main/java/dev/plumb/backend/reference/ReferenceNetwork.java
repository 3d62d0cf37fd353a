package dev.plumb.backend.reference;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tap;
import dev.plumb.model.Dropout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;

/**
 * One network in training, computed by plain loops over doubles. For layer l, with A[-1] = X:
 *
 * <pre>
 *   forward    Z[l] = A[l-1]·W[l]ᵀ + b[l]            H[l] = norm(Z[l])            A[l] = f(H[l]) ∘ M[l] + R[l]·A[l-1]
 *   backward   D[last] = dLoss/dZ[last]              G[l] = dLoss/dA[l] = D[l+1]·W[l+1] + R[l+1]·G[l+1]
 *              D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H[l]))  dW[l] = D[l]ᵀ·A[l-1]         db[l] = Σ over the batch of D[l]
 * </pre>
 *
 * <p>norm and its derivative dnorm are those of {@link Normalizations}, or the identity; R is 1 in layers with a residual
 * connection, otherwise 0.
 *
 * <p>A step with teacher forcing reads Z, H, A and D of another session in place of its own
 * ({@link dev.plumb.backend.TeacherForced}).
 *
 * <p>Z, H, A, D, G and M are [batch][units]; W [out x in] and b [out] are slices of the flat vector of parameters. The dropout mask M
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
  /** The statistics of normalized layers in the last step; null in others. */
  private final Normalizations.Statistics[] statistics;
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
    statistics = new Normalizations.Statistics[network.layerCount()];
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
    Optimizers.update(
        training.optimizer(), learningRate, t, clipped(), parameters, moment1, moment2, layout.trainedSize());
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
   * Computes Z, H and A of all layers, in a training step with the statistics of the batch.
   *
   * @param into the values to replace
   * @param read the values that later operations read: the same object, or those of another session
   */
  private void forward(long step, double[][] x, StepValues into, StepValues read) {
    for (int l = 0; l < network.layerCount(); l++) {
      LayerSpec layer = network.layer(l);
      double[][] in = l == 0 ? x : read.a()[l - 1];
      into.z()[l] = product(l, in);
      into.h()[l] = normalized(step, l, into.z()[l], read.z()[l]);
      double[][] a = new double[x.length][layer.out()];
      into.a()[l] = a;
      for (int i = 0; i < x.length; i++) {
        for (int unit = 0; unit < layer.out(); unit++) {
          a[i][unit] = Activations.value(layer.activation(), read.h()[l][i][unit]) * mask(step, l, i, unit)
              + (layer.residual() ? in[i][unit] : 0);
        }
      }
    }
  }

  /** Returns A·W[l]ᵀ + b[l]. */
  private double[][] product(int l, double[][] in) {
    double[][] z = new double[in.length][network.layer(l).out()];
    for (int i = 0; i < in.length; i++) {
      for (int unit = 0; unit < z[i].length; unit++) {
        double sum = bias(l, unit);
        for (int k = 0; k < in[i].length; k++) {
          sum += in[i][k] * weight(l, unit, k);
        }
        z[i][unit] = sum;
      }
    }
    return z;
  }

  /**
   * Returns H of a layer; Z itself without normalization. A training step updates the running statistics.
   *
   * @param own Z that this step computed
   * @param z Z to normalize: the same, or that of another session
   */
  private double[][] normalized(long step, int l, double[][] own, double[][] z) {
    Normalization normalization = network.layer(l).normalization();
    if (normalization == Normalization.NONE) {
      return own;
    }
    Normalizations.Statistics of;
    if (normalization == Normalization.BATCH && step == NO_STEP) {
      of = new Normalizations.Statistics(true, vector(Kind.RUNNING_MEAN, l), vector(Kind.RUNNING_VARIANCE, l));
    } else {
      of = Normalizations.of(normalization, z);
      if (step != NO_STEP) {
        statistics[l] = of;
        if (normalization == Normalization.BATCH) {
          updateRunningStatistics(l, of, z.length);
        }
      }
    }
    double[] scale = vector(Kind.SCALE, l);
    double[] shift = vector(Kind.SHIFT, l);
    double[][] h = new double[z.length][scale.length];
    for (int i = 0; i < h.length; i++) {
      for (int unit = 0; unit < scale.length; unit++) {
        h[i][unit] = scale[unit] * of.standardized(z, i, unit) + shift[unit];
      }
    }
    return h;
  }

  /** Computes running = (1 - momentum)·running + momentum·batch's, where the variance has Bessel's correction. */
  private void updateRunningStatistics(int l, Normalizations.Statistics batch, int rows) {
    int means = layout.slice(Kind.RUNNING_MEAN, l).offset();
    int variances = layout.slice(Kind.RUNNING_VARIANCE, l).offset();
    for (int unit = 0; unit < batch.mean().length; unit++) {
      double variance = batch.variance()[unit] * rows / (rows - 1);
      parameters[means + unit] = (1 - Normalization.MOMENTUM) * parameters[means + unit]
          + Normalization.MOMENTUM * batch.mean()[unit];
      parameters[variances + unit] = (1 - Normalization.MOMENTUM) * parameters[variances + unit]
          + Normalization.MOMENTUM * variance;
    }
  }

  private void backward(long step, Batch batch, StepValues read) {
    int last = network.layerCount() - 1;
    double[][] g = null;
    for (int l = last; l >= 0; l--) {
      if (l == last) {
        values.delta()[l] = Losses.delta(training.loss(), read.z()[last], batch);
      } else {
        g = outputGradient(l, read.delta()[l + 1], g);
        values.delta()[l] = hiddenDelta(step, l, g, read);
      }
      weightGradients(l, read.delta()[l], l == 0 ? batch.x() : read.a()[l - 1]);
      biasGradients(l);
    }
  }

  /** Returns G[l] = D[l+1]·W[l+1] + R[l+1]·G[l+1]. */
  private double[][] outputGradient(int l, double[][] above, double[][] gAbove) {
    double[][] g = new double[above.length][network.layer(l).out()];
    for (int i = 0; i < above.length; i++) {
      for (int unit = 0; unit < g[i].length; unit++) {
        double sum = 0;
        for (int j = 0; j < above[i].length; j++) {
          sum += above[i][j] * weight(l + 1, j, unit);
        }
        g[i][unit] = sum + (network.layer(l + 1).residual() ? gAbove[i][unit] : 0);
      }
    }
    return g;
  }

  /** Returns D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H[l])), and computes the gradients of scale and shift. */
  private double[][] hiddenDelta(long step, int l, double[][] g, StepValues read) {
    LayerSpec layer = network.layer(l);
    double[][] result = new double[g.length][layer.out()];
    for (int i = 0; i < g.length; i++) {
      for (int unit = 0; unit < result[i].length; unit++) {
        result[i][unit] = g[i][unit] * mask(step, l, i, unit)
            * Activations.derivative(layer.activation(), read.h()[l][i][unit]);
      }
    }
    if (layer.normalization() == Normalization.NONE) {
      return result;
    }
    int scales = layout.slice(Kind.SCALE, l).offset();
    int shifts = layout.slice(Kind.SHIFT, l).offset();
    for (int unit = 0; unit < layer.out(); unit++) {
      double scaleGradient = 0;
      double shiftGradient = 0;
      for (int i = 0; i < result.length; i++) {
        scaleGradient += result[i][unit] * statistics[l].standardized(read.z()[l], i, unit);
        shiftGradient += result[i][unit];
      }
      gradients[scales + unit] = scaleGradient;
      gradients[shifts + unit] = shiftGradient;
    }
    return Normalizations.backward(statistics[l], read.z()[l], result, vector(Kind.SCALE, l));
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
      case NORMALIZED -> values.h()[layer];
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

  /** Returns a copy of a vector of a layer. */
  private double[] vector(Kind kind, int layer) {
    ParameterLayout.Slice slice = layout.slice(kind, layer);
    return Arrays.copyOfRange(parameters, slice.offset(), slice.offset() + slice.size());
  }

  private double weight(int layer, int out, int in) {
    ParameterLayout.Slice slice = layout.weight(layer);
    return parameters[slice.offset() + out * slice.columns() + in];
  }

  private double bias(int layer, int out) {
    return parameters[layout.bias(layer).offset() + out];
  }
}
