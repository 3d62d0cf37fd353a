package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.random.NumpyRandom;

/** Data without meaning, of any shape, for checks: it fits a given network and loss. */
public final class RandomData {
  /** A table is one Java array. */
  private static final long MAX_VALUES = Integer.MAX_VALUE - 8;

  private RandomData() {}

  /**
   * Features from N(0, 1), row by row, then the targets: classes or 0 and 1 with equal chances for the cross-entropies,
   * else N(0, 1).
   *
   * @throws InvalidInputException when that is more than one table holds
   */
  public static Dataset draw(int rows, NetworkSpec network, Loss loss, NumpyRandom stream) {
    int features = network.inputs();
    int outputs = network.outputs();
    if ((long) rows * Math.max(features, outputs) > MAX_VALUES) {
      throw new InvalidInputException(rows + " samples of " + features + " inputs and " + outputs + " outputs are more than the "
          + MAX_VALUES + " values that a table holds");
    }
    double[] x = new double[rows * features];
    stream.standardNormal(x, 0, x.length);
    if (loss == Loss.CROSS_ENTROPY) {
      int[] labels = new int[rows];
      for (int row = 0; row < rows; row++) {
        labels[row] = (int) (stream.randomSample() * outputs);
      }
      return Dataset.adoptClasses(features, outputs, x, labels);
    }
    double[] y = new double[rows * outputs];
    if (loss == Loss.BINARY_CROSS_ENTROPY) {
      for (int i = 0; i < y.length; i++) {
        y[i] = Math.floor(2 * stream.randomSample());
      }
    } else {
      stream.standardNormal(y, 0, y.length);
    }
    return Dataset.adoptTargets(features, outputs, x, y);
  }
}
