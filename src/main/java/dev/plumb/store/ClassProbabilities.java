package dev.plumb.store;

import dev.plumb.model.Loss;

/** Conversion of a network's outputs to probabilities of classes. */
public final class ClassProbabilities {
  private ClassProbabilities() {}

  /**
   * Converts logits to probabilities: with cross_entropy the softmax, with binary_cross_entropy the sigmoid of each output, where
   * a single output p gives 1 - p and p for two classes.
   *
   * @param loss of the training
   * @param outputs of the network, number per row
   * @param logits [rows x outputs] row-major; not changed
   * @return [rows x classes] row-major
   * @throws IllegalArgumentException for the loss of a regression
   */
  public static double[] of(Loss loss, int outputs, double[] logits) {
    if (!loss.isClassification()) {
      throw new IllegalArgumentException("probabilities of outputs trained with loss " + loss.key());
    }
    double[] activated = activated(loss, outputs, logits);
    return loss == Loss.BINARY_CROSS_ENTROPY && outputs == 1 ? ofTwo(activated) : activated;
  }

  /**
   * Applies softmax (cross_entropy), sigmoid (binary_cross_entropy) or nothing (other losses).
   *
   * @return [rows x outputs] row-major, a copy
   */
  static double[] activated(Loss loss, int outputs, double[] logits) {
    double[] activated = logits.clone();
    if (loss == Loss.CROSS_ENTROPY) {
      for (int first = 0; first < activated.length; first += outputs) {
        softmax(activated, first, outputs);
      }
    } else if (loss == Loss.BINARY_CROSS_ENTROPY) {
      for (int i = 0; i < activated.length; i++) {
        activated[i] = sigmoid(activated[i]);
      }
    }
    return activated;
  }

  /** Returns [rows x 2] for the probabilities [rows] of the second class. */
  static double[] ofTwo(double[] second) {
    double[] both = new double[2 * second.length];
    for (int row = 0; row < second.length; row++) {
      both[2 * row] = 1 - second[row];
      both[2 * row + 1] = second[row];
    }
    return both;
  }

  /**
   * Returns the most probable class of each row, the first if several are equally probable.
   *
   * @param probabilities [rows x classes] row-major
   * @param classes number of classes
   * @return [rows]
   */
  public static int[] labels(double[] probabilities, int classes) {
    int[] labels = new int[probabilities.length / classes];
    for (int row = 0; row < labels.length; row++) {
      for (int j = 1; j < classes; j++) {
        if (probabilities[row * classes + j] > probabilities[row * classes + labels[row]]) {
          labels[row] = j;
        }
      }
    }
    return labels;
  }

  private static void softmax(double[] values, int first, int width) {
    double max = Double.NEGATIVE_INFINITY;
    for (int j = first; j < first + width; j++) {
      max = Math.max(max, values[j]);
    }
    double sum = 0;
    for (int j = first; j < first + width; j++) {
      values[j] = Math.exp(values[j] - max);
      sum += values[j];
    }
    for (int j = first; j < first + width; j++) {
      values[j] /= sum;
    }
  }

  /** Returns the sigmoid, computed so that the exponential does not overflow. */
  private static double sigmoid(double z) {
    double e = Math.exp(-Math.abs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
  }
}
