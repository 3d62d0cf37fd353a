package dev.plumb.backend.cuda.session;

import dev.plumb.data.Dataset;
import dev.plumb.model.Precision;

/**
 * The divisors of mean losses over weighted rows: sums of the weights as the device stores them, rounded to single precision
 * unless the precision is double, and times the outputs except for cross_entropy. Sums are in double, in the order of the rows.
 */
public final class LossDivisors {
  private final double[] weights;
  private final int termsPerRow;
  private final double all;

  /** Reads the weights of a data set. */
  public LossDivisors(Dataset data, Precision precision) {
    weights = new double[data.rows()];
    termsPerRow = data.hasClasses() ? 1 : data.outputs();
    double sum = 0;
    for (int row = 0; row < weights.length; row++) {
      weights[row] = precision == Precision.FP64 ? data.weight(row) : (float) data.weight(row);
      sum += weights[row];
    }
    all = sum * termsPerRow;
  }

  /** Returns the divisor for a batch of rows; null for all rows. */
  public double of(int[] rows) {
    if (rows == null) {
      return all;
    }
    double sum = 0;
    for (int row : rows) {
      sum += weights[row];
    }
    return sum * termsPerRow;
  }
}
