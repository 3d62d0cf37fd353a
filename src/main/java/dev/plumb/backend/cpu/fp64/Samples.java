package dev.plumb.backend.cpu.fp64;

import dev.plumb.data.Dataset;

/** A data set in this precision: x [rows x features], y [rows x outputs] row-major or labels [rows], and weights [rows] if any. */
@SuppressWarnings("cast")
final class Samples {
  private final int rows;
  private final int features;
  private final int outputs;
  private final double[] x;
  private final double[] y;
  private final int[] labels;
  private final double[] weights;
  private double[][] columns;
  private Targets targets;

  Samples(Dataset data) {
    this(data, true);
  }

  private Samples(Dataset data, boolean withTargets) {
    rows = data.rows();
    features = data.features();
    outputs = data.outputs();
    x = new double[rows * features];
    y = withTargets && !data.hasClasses() ? new double[rows * outputs] : null;
    labels = withTargets && data.hasClasses() ? new int[rows] : null;
    weights = withTargets && data.hasWeights() ? new double[rows] : null;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < features; column++) {
        x[row * features + column] = (double) data.feature(row, column);
      }
      if (labels != null) {
        labels[row] = data.label(row);
      }
      if (weights != null) {
        weights[row] = (double) data.weight(row);
      }
      for (int column = 0; y != null && column < outputs; column++) {
        y[row * outputs + column] = (double) data.target(row, column);
      }
    }
  }

  /** Returns samples for predictions, without targets. */
  static Samples ofFeatures(Dataset data) {
    return new Samples(data, false);
  }

  int rows() {
    return rows;
  }

  /** Returns the features [rows x features], which must not be changed. */
  double[] x() {
    return x;
  }

  /** Computes {@link #columns} and {@link #targets()}, for steps on all rows. Call it before several threads read them. */
  void transpose() {
    if (columns == null) {
      columns = new double[features][RowPadding.padded(rows)];
      features(null, 0, rows, columns);
      RowPadding.repeatLast(columns, rows);
      targets = labels != null ? new Targets(null, labels) : new Targets(new double[outputs][rows], null);
      targets(null, 0, rows, targets);
    }
  }

  /** Returns all features [features][rows, padded], which must not be changed, after {@link #transpose}. */
  double[][] columns() {
    return columns;
  }

  /** Returns all targets, which must not be changed, after {@link #transpose}. */
  Targets targets() {
    return targets;
  }

  /** Copies the features of chosen rows to an array [chosen x features]. */
  void gather(int[] chosen, double[] to) {
    for (int i = 0; i < chosen.length; i++) {
      System.arraycopy(x, chosen[i] * features, to, i * features, features);
    }
  }

  /**
   * Copies the features of some samples, transposed.
   *
   * @param chosen row indices, of which those from first on are used; null for the rows from first on
   * @param to [features][samples]
   */
  void features(int[] chosen, int first, int count, double[][] to) {
    for (int column = 0; column < features; column++) {
      double[] row = to[column];
      for (int i = 0; i < count; i++) {
        row[i] = x[(chosen == null ? first + i : chosen[first + i]) * features + column];
      }
    }
  }

  /** Copies the targets of some samples, transposed. */
  void targets(int[] chosen, int first, int count, Targets to) {
    targets(chosen, first, count, to, 0, outputs);
  }

  /** Copies columns from..end - 1 of the targets, transposed, or the labels. The loop over rows reads y in order. */
  void targets(int[] chosen, int first, int count, Targets to, int from, int end) {
    if (labels != null) {
      for (int i = 0; i < count; i++) {
        to.labels()[i] = labels[chosen == null ? first + i : chosen[first + i]];
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      int row = (chosen == null ? first + i : chosen[first + i]) * outputs;
      for (int column = from; column < end; column++) {
        to.y()[column][i] = y[row + column];
      }
    }
  }

  /**
   * Returns the weights of some samples.
   *
   * @param chosen row indices, of which those from first on are used; null for the rows from first on
   * @param buffer [samples], receives the weights unless they are all weights
   * @return weights from index 0 on, which must not be changed; null for data without weights
   */
  double[] weights(int[] chosen, int first, int count, double[] buffer) {
    if (weights == null || (chosen == null && count == rows)) {
      return weights;
    }
    for (int i = 0; i < count; i++) {
      buffer[i] = weights[chosen == null ? first + i : chosen[first + i]];
    }
    return buffer;
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    int copies = columns == null ? 1 : 2;
    return (long) Double.BYTES * copies * (x.length + (y == null ? 0 : y.length))
        + (labels == null ? 0 : (long) Integer.BYTES * labels.length)
        + (weights == null ? 0 : (long) Double.BYTES * weights.length);
  }
}
