package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.WeightSum;
import dev.plumb.model.Loss;

/**
 * The losses, their gradients with respect to the outputs, and the number of correct predictions, over outputs
 * [outputs][samples]. One instance per thread: it contains scratch memory.
 *
 * <p>With d = z - y and T terms (samples x outputs; samples for cross_entropy): mse Σd²/T; mae Σ|d|/T; huber Σ(d²/2 where
 * |d| ≤ 1, otherwise |d| - 1/2)/T; binary_cross_entropy Σ(softplus(z) - z·y)/T; cross_entropy Σ(log Σe^z - z[label])/T. If rows
 * have weights, each term is multiplied by the weight of its row, and T is the sum of the weights of all terms.
 */
@SuppressWarnings("cast")
final class Losses {
  /** Number of terms that are summed in this precision before they are added to the {@link LossAccumulator}. */
  private static final int SUM_BLOCK = 256;

  private final Loss loss;
  private final Activations functions;
  private double[] largest = {};
  private double[] sum = {};

  Losses(Loss loss, Activations functions) {
    this.loss = loss;
    this.functions = functions;
  }

  /** Allocates scratch memory for a number of samples. */
  void reserve(int samples) {
    if (sum.length < samples) {
      largest = new double[samples];
      sum = new double[samples];
    }
  }

  /**
   * Adds the loss of some samples to a sum, and computes delta, the gradient of the loss with respect to z.
   *
   * @param z [outputs][samples]
   * @param weights [samples]; null for none
   * @param terms divisor of the mean, T, which may include more than these samples
   * @param delta [outputs][samples]
   */
  void delta(
      double[][] z, Targets targets, double[] weights, int samples, double terms, double[][] delta, LossAccumulator lossSum) {
    delta(0, z.length, z, targets, weights, samples, terms, delta, lossSum);
  }

  /** Computes the same for outputs from..to - 1, which must be all outputs for cross_entropy. */
  void delta(
      int from,
      int to,
      double[][] z,
      Targets targets,
      double[] weights,
      int samples,
      double terms,
      double[][] delta,
      LossAccumulator lossSum) {
    if (weights != null) {
      // The sums of terms below are added with 0 terms.
      lossSum.add(0, WeightSum.of(weights, samples) * (loss == Loss.CROSS_ENTROPY ? 1 : to - from));
    }
    if (loss == Loss.CROSS_ENTROPY) {
      crossEntropy(z, targets.labels(), weights, samples, terms, delta, lossSum);
      return;
    }
    for (int j = from; j < to; j++) {
      double[] y = targets.y()[j];
      switch (loss) {
        case MSE -> squared(z[j], y, weights, samples, delta[j], lossSum);
        case MAE -> absolute(z[j], y, weights, samples, delta[j], lossSum);
        case HUBER -> huber(z[j], y, weights, samples, delta[j], lossSum);
        case BINARY_CROSS_ENTROPY -> binaryCrossEntropy(z[j], y, weights, samples, delta[j], lossSum);
        case CROSS_ENTROPY -> throw new AssertionError(loss);
      }
      scale(delta[j], (loss == Loss.MSE ? 2 : 1) / terms, samples);
      if (weights != null) {
        multiply(delta[j], weights, samples);
      }
    }
  }

  /** Returns the number of correct predictions. Of equal largest logits the first one counts, as in argmax. */
  long correct(double[][] z, Targets targets, int samples) {
    long correct = 0;
    for (int i = 0; i < samples; i++) {
      if (loss == Loss.CROSS_ENTROPY) {
        int best = 0;
        for (int j = 1; j < z.length; j++) {
          best = z[j][i] > z[best][i] ? j : best;
        }
        correct += best == targets.labels()[i] ? 1 : 0;
      } else {
        for (int j = 0; j < z.length; j++) {
          correct += (z[j][i] > 0) == (targets.y()[j][i] > (double) 0.5) ? 1 : 0;
        }
      }
    }
    return correct;
  }

  private void squared(double[] z, double[] y, double[] weights, int samples, double[] delta, LossAccumulator lossSum) {
    for (int n = 0; n < samples; n++) {
      delta[n] = z[n] - y[n];
    }
    double[] weighted = delta;
    if (weights != null) {
      weighted = sum;
      System.arraycopy(delta, 0, weighted, 0, samples);
      multiply(weighted, weights, samples);
    }
    for (int n = 0; n < samples; n += SUM_BLOCK) {
      int to = Math.min(samples, n + SUM_BLOCK);
      lossSum.add(RowProducts.dot(weighted, delta, n, to), weights == null ? to - n : 0);
    }
  }

  private void absolute(double[] z, double[] y, double[] weights, int samples, double[] delta, LossAccumulator lossSum) {
    for (int n = 0; n < samples; n++) {
      double d = z[n] - y[n];
      sum[n] = Math.abs(d);
      delta[n] = Math.signum(d);
    }
    addSum(weights, samples, lossSum);
  }

  private void huber(double[] z, double[] y, double[] weights, int samples, double[] delta, LossAccumulator lossSum) {
    for (int n = 0; n < samples; n++) {
      double d = z[n] - y[n];
      double magnitude = Math.abs(d);
      sum[n] = magnitude <= 1 ? (double) 0.5 * d * d : magnitude - (double) 0.5;
      delta[n] = Math.max(-1, Math.min(1, d));
    }
    addSum(weights, samples, lossSum);
  }

  private void binaryCrossEntropy(
      double[] z, double[] y, double[] weights, int samples, double[] delta, LossAccumulator lossSum) {
    functions.softplus(z, 0, sum, 0, samples);
    functions.sigmoid(z, 0, delta, 0, samples);
    for (int n = 0; n < samples; n++) {
      sum[n] -= z[n] * y[n];
    }
    for (int n = 0; n < samples; n++) {
      delta[n] -= y[n];
    }
    addSum(weights, samples, lossSum);
  }

  private void crossEntropy(
      double[][] z, int[] labels, double[] weights, int samples, double terms, double[][] delta, LossAccumulator lossSum) {
    System.arraycopy(z[0], 0, largest, 0, samples);
    for (int j = 1; j < z.length; j++) {
      larger(largest, z[j], samples);
    }
    for (int n = 0; n < samples; n++) {
      sum[n] = 0;
    }
    for (int j = 0; j < z.length; j++) {
      subtract(z[j], largest, delta[j], samples);
      functions.exp(delta[j], 0, delta[j], 0, samples);
      add(sum, delta[j], samples);
    }
    if (weights == null) {
      for (int n = 0; n < samples; n++) {
        lossSum.add((double) Math.log(sum[n]) + (largest[n] - z[labels[n]][n]), 1);
      }
    } else {
      for (int n = 0; n < samples; n++) {
        lossSum.add(weights[n] * ((double) Math.log(sum[n]) + (largest[n] - z[labels[n]][n])), 0);
      }
    }
    for (int j = 0; j < z.length; j++) {
      divide(delta[j], sum, samples);
    }
    for (int n = 0; n < samples; n++) {
      delta[labels[n]][n] -= 1;
    }
    for (double[] row : delta) {
      scale(row, 1 / terms, samples);
      if (weights != null) {
        multiply(row, weights, samples);
      }
    }
  }

  private void addSum(double[] weights, int samples, LossAccumulator lossSum) {
    if (weights != null) {
      multiply(sum, weights, samples);
    }
    for (int n = 0; n < samples; n += SUM_BLOCK) {
      int to = Math.min(samples, n + SUM_BLOCK);
      lossSum.add(RowProducts.sum(sum, n, to), weights == null ? to - n : 0);
    }
  }

  private static void scale(double[] x, double factor, int samples) {
    for (int n = 0; n < samples; n++) {
      x[n] *= factor;
    }
  }

  private static void multiply(double[] x, double[] y, int samples) {
    for (int n = 0; n < samples; n++) {
      x[n] *= y[n];
    }
  }

  private static void larger(double[] x, double[] y, int samples) {
    for (int n = 0; n < samples; n++) {
      x[n] = Math.max(x[n], y[n]);
    }
  }

  private static void subtract(double[] x, double[] y, double[] difference, int samples) {
    for (int n = 0; n < samples; n++) {
      difference[n] = x[n] - y[n];
    }
  }

  private static void add(double[] x, double[] y, int samples) {
    for (int n = 0; n < samples; n++) {
      x[n] += y[n];
    }
  }

  private static void divide(double[] x, double[] y, int samples) {
    for (int n = 0; n < samples; n++) {
      x[n] /= y[n];
    }
  }
}
