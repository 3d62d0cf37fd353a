package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import java.util.Arrays;

/**
 * Rows to train on or to evaluate, immutable: features X [rows x features] and, per row, either targets Y [rows x outputs] or
 * one class index. All numbers are finite.
 */
public final class Dataset {
  private final int rows;
  private final int features;
  private final int outputs;
  private final double[] x;
  private final double[] y;
  private final int[] labels;

  private Dataset(int features, int outputs, double[] x, double[] y, int[] labels) {
    if (features < 1 || outputs < 1) {
      throw new InvalidInputException("data with " + features + " features and " + outputs
          + " outputs: both must be at least 1");
    }
    this.rows = y != null ? y.length / outputs : labels.length;
    this.features = features;
    this.outputs = outputs;
    this.x = x;
    this.y = y;
    this.labels = labels;
    if (rows < 1) {
      throw new InvalidInputException("data without rows; at least one is needed");
    }
    if (x.length != (long) rows * features || (y != null && y.length != (long) rows * outputs)) {
      throw new InvalidInputException("data of " + x.length + " feature values and " + (y == null ? rows : y.length)
          + " target values do not make rows of " + features + " features and " + outputs + " outputs");
    }
    requireFinite("feature", this.x, features);
    if (this.y != null) {
      requireFinite("target", this.y, outputs);
    } else {
      requireLabels();
    }
  }

  /**
   * Data whose targets are numbers.
   *
   * @param x [rows x features] row-major
   * @param y [rows x outputs] row-major
   * @throws InvalidInputException when the lengths do not fit or a value is not finite
   */
  public static Dataset ofTargets(int features, int outputs, double[] x, double[] y) {
    return new Dataset(features, outputs, x.clone(), y.clone(), null);
  }

  /**
   * Data whose targets are classes.
   *
   * @param x [rows x features] row-major
   * @param labels [rows], each from 0 to classes - 1
   * @throws InvalidInputException when the lengths do not fit, a feature is not finite or a label is out of range
   */
  public static Dataset ofClasses(int features, int classes, double[] x, int[] labels) {
    return new Dataset(features, classes, x.clone(), null, labels.clone());
  }

  /** Like {@link #ofTargets} without a copy, which a large table has no room for: the arrays are given away. */
  static Dataset adoptTargets(int features, int outputs, double[] x, double[] y) {
    return new Dataset(features, outputs, x, y, null);
  }

  /** Like {@link #ofClasses} without a copy: the arrays are given away. */
  static Dataset adoptClasses(int features, int classes, double[] x, int[] labels) {
    return new Dataset(features, classes, x, null, labels);
  }

  public int rows() {
    return rows;
  }

  public int features() {
    return features;
  }

  /** Target columns, or classes. */
  public int outputs() {
    return outputs;
  }

  public boolean hasClasses() {
    return labels != null;
  }

  public double feature(int row, int column) {
    return x[row * features + column];
  }

  /** @throws IllegalStateException when the targets are classes */
  public double target(int row, int column) {
    requireTargets();
    return y[row * outputs + column];
  }

  /** @throws IllegalStateException when the targets are numbers */
  public int label(int row) {
    if (labels == null) {
      throw new IllegalStateException("the targets of this data are numbers");
    }
    return labels[row];
  }

  /** Returns the features of some rows, [rows x features]. */
  public double[] featureRows(int firstRow, int rows) {
    return Arrays.copyOfRange(x, firstRow * features, (firstRow + rows) * features);
  }

  /**
   * Returns the targets of some rows, [rows x outputs].
   *
   * @throws IllegalStateException when the targets are classes
   */
  public double[] targetRows(int firstRow, int rows) {
    requireTargets();
    return Arrays.copyOfRange(y, firstRow * outputs, (firstRow + rows) * outputs);
  }

  private void requireTargets() {
    if (y == null) {
      throw new IllegalStateException("the targets of this data are classes");
    }
  }

  /**
   * Whether a network of this shape can be trained on this data with this loss.
   *
   * @throws InvalidInputException when it cannot; the message says which side has what
   */
  public void requireFits(NetworkSpec network, Loss loss) {
    if (network.inputs() != features) {
      throw new InvalidInputException("the first layer is " + network.inputs() + " wide, but the data has " + features
          + (features == 1 ? " column" : " columns"));
    }
    if (network.outputs() != outputs) {
      throw new InvalidInputException("the last layer is " + network.outputs() + " wide, but the data has " + outputs
          + (hasClasses() ? " classes" : outputs == 1 ? " target" : " targets"));
    }
    if (hasClasses() != (loss == Loss.CROSS_ENTROPY)) {
      throw new InvalidInputException("loss " + loss.key() + (hasClasses()
          ? " needs numbers as targets, but the data has classes; use " + Loss.CROSS_ENTROPY.key()
          : " needs classes as targets, but the data has numbers"));
    }
    if (loss == Loss.BINARY_CROSS_ENTROPY) {
      for (int i = 0; i < y.length; i++) {
        if (y[i] < 0 || y[i] > 1) {
          throw new InvalidInputException("loss " + loss.key() + " needs targets from 0 to 1, but row " + (i / outputs + 1)
              + " has " + y[i]);
        }
      }
    }
  }

  private static void requireFinite(String what, double[] values, int columns) {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new InvalidInputException(what + " " + (i % columns + 1) + " of row " + (i / columns + 1) + " is " + values[i]
            + "; data must be finite");
      }
    }
  }

  private void requireLabels() {
    for (int row = 0; row < rows; row++) {
      if (labels[row] < 0 || labels[row] >= outputs) {
        throw new InvalidInputException("the class of row " + (row + 1) + " is " + labels[row] + "; it must lie from 0 to "
            + (outputs - 1));
      }
    }
  }
}
