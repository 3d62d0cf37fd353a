package dev.plumb.backend.reference;

import dev.plumb.model.Loss;

/**
 * The losses, their gradients with respect to the outputs, and the number of correct predictions. z [batch][outputs] are the
 * outputs of the last layer: predictions for the regressions, logits for the cross-entropies. With the weights w[i] of the rows,
 * which are 1 for data without weights:
 *
 * <pre>
 *   cross_entropy     loss = Σ over i of w[i]·l(z[i], label[i]) / Σ w
 *   all other losses  loss = Σ over i and j of w[i]·l(z[i][j], y[i][j]) / (outputs·Σ w)
 * </pre>
 */
final class Losses {
  /** Difference at which huber changes from a parabola to a line. */
  private static final double HUBER_DELTA = 1;

  private Losses() {}

  /** Returns the weighted mean loss over the batch and, except for cross_entropy, over the outputs. */
  static double value(Loss loss, double[][] z, Batch batch) {
    double sum = 0;
    for (int i = 0; i < z.length; i++) {
      if (loss == Loss.CROSS_ENTROPY) {
        sum += batch.weights()[i] * (logSumExp(z[i]) - z[i][batch.labels()[i]]);
      } else {
        for (int j = 0; j < z[i].length; j++) {
          sum += batch.weights()[i] * term(loss, z[i][j], batch.y()[i][j]);
        }
      }
    }
    return sum / divisor(loss, z, batch);
  }

  /** Returns the gradient of {@link #value} with respect to each output: delta [batch][outputs] of the last, linear layer. */
  static double[][] delta(Loss loss, double[][] z, Batch batch) {
    double[][] delta = new double[z.length][z[0].length];
    double divisor = divisor(loss, z, batch);
    for (int i = 0; i < z.length; i++) {
      double logSumExp = loss == Loss.CROSS_ENTROPY ? logSumExp(z[i]) : 0;
      for (int j = 0; j < z[i].length; j++) {
        double derivative = loss == Loss.CROSS_ENTROPY
            ? Math.exp(z[i][j] - logSumExp) - (j == batch.labels()[i] ? 1 : 0)
            : termDerivative(loss, z[i][j], batch.y()[i][j]);
        delta[i][j] = batch.weights()[i] * derivative / divisor;
      }
    }
    return delta;
  }

  /** Returns the number of correct predictions. Of equal largest logits the first one counts, as in argmax. */
  static long correct(Loss loss, double[][] z, Batch batch) {
    long correct = 0;
    for (int i = 0; i < z.length; i++) {
      if (loss == Loss.CROSS_ENTROPY) {
        correct += argmax(z[i]) == batch.labels()[i] ? 1 : 0;
      } else {
        for (int j = 0; j < z[i].length; j++) {
          correct += (z[i][j] > 0) == (batch.y()[i][j] > 0.5) ? 1 : 0;
        }
      }
    }
    return correct;
  }

  /**
   * Returns the divisor of the mean: the sum of the weights of its terms, which without weights is their number. A shorter last
   * batch is divided by its own sum.
   */
  private static double divisor(Loss loss, double[][] z, Batch batch) {
    double sum = 0;
    for (double weight : batch.weights()) {
      sum += weight;
    }
    return loss == Loss.CROSS_ENTROPY ? sum : sum * z[0].length;
  }

  private static double term(Loss loss, double z, double y) {
    double difference = z - y;
    return switch (loss) {
      case MSE -> difference * difference;
      case MAE -> Math.abs(difference);
      case HUBER -> Math.abs(difference) <= HUBER_DELTA
          ? 0.5 * difference * difference
          : HUBER_DELTA * (Math.abs(difference) - 0.5 * HUBER_DELTA);
      case BINARY_CROSS_ENTROPY -> Activations.softplus(z) - z * y;
      case CROSS_ENTROPY -> throw new IllegalArgumentException("cross_entropy has no terms per output");
    };
  }

  private static double termDerivative(Loss loss, double z, double y) {
    double difference = z - y;
    return switch (loss) {
      case MSE -> 2 * difference;
      case MAE -> Math.signum(difference);
      case HUBER -> Math.abs(difference) <= HUBER_DELTA ? difference : HUBER_DELTA * Math.signum(difference);
      case BINARY_CROSS_ENTROPY -> Activations.sigmoid(z) - y;
      case CROSS_ENTROPY -> throw new IllegalArgumentException("cross_entropy has no terms per output");
    };
  }

  /** Returns log Σ e^z. Subtracting the maximum first avoids overflow. */
  private static double logSumExp(double[] z) {
    double max = Double.NEGATIVE_INFINITY;
    for (double value : z) {
      max = Math.max(max, value);
    }
    double sum = 0;
    for (double value : z) {
      sum += Math.exp(value - max);
    }
    return max + Math.log(sum);
  }

  private static int argmax(double[] z) {
    int best = 0;
    for (int j = 1; j < z.length; j++) {
      if (z[j] > z[best]) {
        best = j;
      }
    }
    return best;
  }
}
