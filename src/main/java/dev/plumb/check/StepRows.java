package dev.plumb.check;

import dev.plumb.data.Dataset;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.Precision;

/**
 * The rows that one replica uses in a step, with the numbers that the device has.
 *
 * @param indices the row numbers; null for all rows
 */
record StepRows(Dataset data, int[] indices) {
  /**
   * Returns data rounded as a device stores it: to single precision unless the precision is double, and features to bfloat16 if
   * factors are rounded. The reference must start from the same numbers.
   */
  static Dataset rounded(Dataset data, Precision precision) {
    if (precision == Precision.FP64) {
      return data;
    }
    Dataset rounded = withoutWeights(data, precision.roundsFactors());
    if (!data.hasWeights()) {
      return rounded;
    }
    double[] weights = new double[data.rows()];
    for (int row = 0; row < weights.length; row++) {
      weights[row] = single(data.weight(row));
    }
    return rounded.withWeights(weights);
  }

  private static Dataset withoutWeights(Dataset data, boolean roundsFeatures) {
    double[] x = new double[data.rows() * data.features()];
    for (int i = 0; i < x.length; i++) {
      double feature = data.feature(i / data.features(), i % data.features());
      x[i] = roundsFeatures ? finite(Bfloat16.rounded(feature), feature) : single(feature);
    }
    if (data.hasClasses()) {
      int[] labels = new int[data.rows()];
      for (int row = 0; row < labels.length; row++) {
        labels[row] = data.label(row);
      }
      return Dataset.ofClasses(data.features(), data.outputs(), x, labels);
    }
    double[] y = new double[data.rows() * data.outputs()];
    for (int i = 0; i < y.length; i++) {
      y[i] = single(data.target(i / data.outputs(), i % data.outputs()));
    }
    return Dataset.ofTargets(data.features(), data.outputs(), x, y);
  }

  private static double single(double value) {
    return finite((float) value, value);
  }

  /** Keeps values beyond the range of a format unchanged: the device has infinity there, and the check must show it. */
  private static double finite(float rounded, double value) {
    return Float.isFinite(rounded) ? rounded : value;
  }

  int size() {
    return indices == null ? data.rows() : indices.length;
  }

  /**
   * Returns the number of rows that the batch has in effect: as if all weights were as large as the largest, Σ weight / largest
   * weight. Without weights, it is {@link #size}.
   */
  double effectiveSize() {
    double sum = 0;
    double largest = 0;
    for (int i = 0; i < size(); i++) {
      double weight = data.weight(row(i));
      sum += weight;
      largest = Math.max(largest, weight);
    }
    return sum / largest;
  }

  double x(int i, int column) {
    return data.feature(row(i), column);
  }

  double y(int i, int column) {
    return data.target(row(i), column);
  }

  private int row(int i) {
    return indices == null ? i : indices[i];
  }
}
