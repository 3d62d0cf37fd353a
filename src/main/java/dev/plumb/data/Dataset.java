package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Data set for training or evaluation, immutable: features X [rows x features] with either targets Y [rows x outputs] or one
 * class index per row, and optionally a weight per row. All numbers are finite.
 */
public final class Dataset {
  /**
   * Smallest weight of a row: sums of weights neither vanish nor overflow in single precision, and rounding to it stays in range.
   */
  public static final double MIN_WEIGHT = 1e-20f;

  /** Largest weight of a row. */
  public static final double MAX_WEIGHT = 1e20f;

  private final int rows;
  private final int features;
  private final int outputs;
  private final FeatureMatrix x;
  private final double[] y;
  private final int[] labels;
  private final double[] weights;

  private Dataset(int features, int outputs, FeatureMatrix x, double[] y, int[] labels) {
    rows = y != null ? y.length / outputs : labels.length;
    this.features = features;
    this.outputs = outputs;
    this.x = x;
    this.y = y;
    this.labels = labels;
    weights = null;
  }

  /** Returns a data set of arrays, which are not copied, after checking them. */
  private static Dataset checked(int features, int outputs, double[] x, double[] y, int[] labels) {
    if (features < 1 || outputs < 1) {
      throw new InvalidInputException("data with " + features + " features and " + outputs
          + " outputs: both must be at least 1");
    }
    int rows = y != null ? y.length / outputs : labels.length;
    if (rows < 1) {
      throw new InvalidInputException("data without rows; at least one is needed");
    }
    if (x.length != (long) rows * features || (y != null && y.length != (long) rows * outputs)) {
      throw new InvalidInputException("data of " + x.length + " feature values and " + (y == null ? rows : y.length)
          + " target values do not make rows of " + features + " features and " + outputs + " outputs");
    }
    FeatureMatrix matrix = FeatureMatrix.adopt(rows, features, x);
    matrix.requireFinite();
    return adopt(features, outputs, matrix, y, labels);
  }

  /** Returns a data set of a matrix of finite numbers, and of targets or labels, which are checked and not copied. */
  static Dataset adopt(int features, int outputs, FeatureMatrix x, double[] y, int[] labels) {
    Dataset data = new Dataset(features, outputs, x, y, labels);
    if (data.rows < 1) {
      throw new InvalidInputException("data without rows; at least one is needed");
    }
    if (y != null) {
      data.requireFiniteTargets();
    } else {
      data.requireLabels();
    }
    return data;
  }

  /** Creates a data set with the targets of another one. */
  private Dataset(Dataset data, FeatureMatrix x, double[] weights) {
    rows = data.rows;
    features = data.features;
    outputs = data.outputs;
    this.x = x;
    y = data.y;
    labels = data.labels;
    this.weights = weights;
  }

  /**
   * Returns a data set whose targets are numbers.
   *
   * @param features columns of x
   * @param outputs columns of y
   * @param x [rows x features] row-major
   * @param y [rows x outputs] row-major
   * @return the data set, with copies of the arrays
   * @throws InvalidInputException when the lengths do not fit or a value is not finite
   */
  public static Dataset ofTargets(int features, int outputs, double[] x, double[] y) {
    return checked(features, outputs, x.clone(), y.clone(), null);
  }

  /**
   * Returns a data set whose targets are classes.
   *
   * @param features columns of x
   * @param classes number of classes
   * @param x [rows x features] row-major
   * @param labels [rows], each from 0 to classes - 1
   * @return the data set, with copies of the arrays
   * @throws InvalidInputException when the lengths do not fit, a feature is not finite or a label is out of range
   */
  public static Dataset ofClasses(int features, int classes, double[] x, int[] labels) {
    return checked(features, classes, x.clone(), null, labels.clone());
  }

  /** Returns a data set as {@link #ofTargets} does, but takes over the arrays: a large table leaves no memory for copies. */
  static Dataset adoptTargets(int features, int outputs, double[] x, double[] y) {
    return checked(features, outputs, x, y, null);
  }

  /** Returns a data set as {@link #ofClasses} does, but takes over the arrays. */
  static Dataset adoptClasses(int features, int classes, double[] x, int[] labels) {
    return checked(features, classes, x, null, labels);
  }

  /**
   * Returns this data set with a weight for each row. The loss of a batch is the weighted mean of the losses of its rows,
   * Σ weight·loss / Σ weight, as in PyTorch. So only the ratios of weights matter, and weights of 1 are the same as none.
   *
   * @param weights [rows], each from {@link #MIN_WEIGHT} to {@link #MAX_WEIGHT}; leave out rows that should not count
   * @return the same rows with a copy of the weights, instead of weights that this data set may have
   * @throws InvalidInputException when the number of weights is not that of the rows, or a weight is out of range
   */
  public Dataset withWeights(double[] weights) {
    if (weights.length != rows) {
      throw new InvalidInputException("there are " + weights.length + (weights.length == 1 ? " weight" : " weights")
          + ", but the data has " + rows + (rows == 1 ? " row" : " rows"));
    }
    for (int row = 0; row < rows; row++) {
      if (!(weights[row] >= MIN_WEIGHT && weights[row] <= MAX_WEIGHT)) {
        throw new InvalidInputException("the weight of row " + (row + 1) + " is " + weights[row]
            + "; a weight must be a number from " + (float) MIN_WEIGHT + " to " + (float) MAX_WEIGHT);
      }
    }
    return new Dataset(this, x, weights.clone());
  }

  /**
   * Returns this data set with some columns taken from other rows.
   *
   * @param first index of the first of these columns
   * @param count number of columns, which are consecutive
   * @param source data set with the same features
   * @param sourceRows [rows] the row of the source from which each row gets its values
   * @return the changed rows; features are copied, targets and weights are those of this data set
   */
  public Dataset withColumns(int first, int count, Dataset source, int[] sourceRows) {
    FeatureMatrix changed = x.copied();
    for (int row = 0; row < rows; row++) {
      for (int column = first; column < first + count; column++) {
        changed.set(row, column, source.x.get(sourceRows[row], column));
      }
    }
    return new Dataset(this, changed, weights);
  }

  /**
   * Returns the number of rows.
   *
   * @return at least 1
   */
  public int rows() {
    return rows;
  }

  /**
   * Returns the number of features.
   *
   * @return at least 1
   */
  public int features() {
    return features;
  }

  /**
   * Returns the number of target columns or of classes.
   *
   * @return at least 1
   */
  public int outputs() {
    return outputs;
  }

  /**
   * Returns whether the targets are classes.
   *
   * @return false when they are numbers
   */
  public boolean hasClasses() {
    return labels != null;
  }

  /**
   * Returns one feature value.
   *
   * @param row from 0
   * @param column from 0
   * @return a finite number
   */
  public double feature(int row, int column) {
    return x.get(row, column);
  }

  /**
   * Returns one target value.
   *
   * @param row from 0
   * @param column from 0
   * @return a finite number
   * @throws IllegalStateException when the targets are classes
   */
  public double target(int row, int column) {
    requireTargets();
    return y[row * outputs + column];
  }

  /**
   * Returns the class of a row.
   *
   * @param row from 0
   * @return from 0 to outputs - 1
   * @throws IllegalStateException when the targets are numbers
   */
  public int label(int row) {
    if (labels == null) {
      throw new IllegalStateException("the targets of this data are numbers");
    }
    return labels[row];
  }

  /**
   * Returns whether the rows have weights.
   *
   * @return false when all rows count the same
   */
  public boolean hasWeights() {
    return weights != null;
  }

  /**
   * Returns the weight of a row.
   *
   * @param row from 0
   * @return greater than 0; 1 when the rows have no weights
   */
  public double weight(int row) {
    return weights == null ? 1 : weights[row];
  }

  /**
   * Returns all features, as floats or doubles.
   *
   * @return the matrix of this data set; its arrays must not be changed
   */
  public FeatureMatrix featureMatrix() {
    return x;
  }

  /**
   * Returns these rows in consecutive parts without weights, each made when it is asked for. Parts share the features with this
   * data set if a part contains whole blocks of them; otherwise the features are copied.
   *
   * @param minRows number of rows of all parts but the last, or a little more
   * @return at least one part
   */
  public List<Dataset> parts(int minRows) {
    boolean shared = rows <= minRows || 1L << x.shift() <= minRows;
    int blocks = (int) Math.min(x.blockCount(), ((minRows - 1L) >> x.shift()) + 1);
    int partRows = shared ? (int) Math.min(rows, (long) blocks << x.shift()) : minRows;
    return new AbstractList<>() {
      @Override
      public Dataset get(int index) {
        int from = Objects.checkIndex(index, size()) * partRows;
        int count = Math.min(partRows, rows - from);
        FeatureMatrix part = shared ? x.slice(index * blocks, Math.min(x.blockCount(), (index + 1) * blocks))
            : FeatureMatrix.adopt(count, features, x.copy(from, count));
        return new Dataset(features, outputs, part, y == null ? null : targetRows(from, count),
            labels == null ? null : Arrays.copyOfRange(labels, from, from + count));
      }

      @Override
      public int size() {
        return (rows - 1) / partRows + 1;
      }
    };
  }

  /**
   * Returns the features of consecutive rows.
   *
   * @param firstRow from 0
   * @param rows number of rows
   * @return [rows x features] row-major, a copy
   */
  public double[] featureRows(int firstRow, int rows) {
    return x.copy(firstRow, rows);
  }

  /**
   * Returns the targets of consecutive rows.
   *
   * @param firstRow from 0
   * @param rows number of rows
   * @return [rows x outputs] row-major, a copy
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
   * Checks that a network can be trained on this data with a loss.
   *
   * @param network to train
   * @param loss to minimize
   * @throws InvalidInputException when widths, targets and loss do not match; the message has both sides
   */
  public void requireFits(NetworkSpec network, Loss loss) {
    if (network.inputs() != features) {
      throw new InvalidInputException("the network has " + network.inputs() + (network.inputs() == 1 ? " input" : " inputs")
          + ", but the data has " + features + (features == 1 ? " feature" : " features"));
    }
    if (network.outputs() != outputs) {
      throw new InvalidInputException("the network has " + network.outputs() + (network.outputs() == 1 ? " output" : " outputs")
          + ", but the data has " + outputs + (hasClasses() ? " classes" : outputs == 1 ? " target" : " targets"));
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

  private void requireFiniteTargets() {
    for (int i = 0; i < y.length; i++) {
      if (!Double.isFinite(y[i])) {
        throw notFinite("target", i / outputs, i % outputs, y[i]);
      }
    }
  }

  static InvalidInputException notFinite(String what, int row, int column, double value) {
    return new InvalidInputException(what + " " + (column + 1) + " of row " + (row + 1) + " is " + value + "; data must be finite");
  }

  private void requireLabels() {
    for (int row = 0; row < rows; row++) {
      if (labels[row] < 0 || labels[row] >= outputs) {
        throw new InvalidInputException("the class of row " + (row + 1) + " is " + labels[row] + "; it must be from 0 to "
            + (outputs - 1));
      }
    }
  }
}
