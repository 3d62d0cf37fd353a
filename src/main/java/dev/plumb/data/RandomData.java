package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.random.NumpyRandom;

/** Random data sets of any shape, for checks and benchmarks. */
public final class RandomData {
  /** Limit of a Java array. */
  private static final long MAX_VALUES = Integer.MAX_VALUE - 8;

  private RandomData() {}

  /**
   * Draws features from N(0, 1), row by row, then targets: classes, or 0 and 1, with equal probability for the cross-entropies,
   * otherwise numbers from N(0, 1).
   *
   * @param rows at least 1
   * @param network whose inputs and outputs the data fits
   * @param loss that the targets fit
   * @param stream of random numbers
   * @return the data set
   * @throws InvalidInputException when a Java array cannot hold that many values
   */
  public static Dataset draw(int rows, NetworkSpec network, Loss loss, NumpyRandom stream) {
    int features = network.inputs();
    int outputs = network.outputs();
    if ((long) rows * Math.max(features, outputs) > MAX_VALUES) {
      throw new InvalidInputException(rows + " samples of " + features + " inputs and " + outputs + " outputs are more than "
          + MAX_VALUES + " values, the maximum of a table");
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
