package dev.plumb.backend.reference;

import dev.plumb.data.Dataset;

/**
 * The rows of one step.
 *
 * @param x [rows][features]
 * @param y [rows][outputs] targets; null for classes
 * @param labels [rows] classes; null for targets
 * @param weights [rows]; all 1 for data without weights
 */
record Batch(double[][] x, double[][] y, int[] labels, double[] weights) {
  /**
   * Returns the given rows of the data.
   *
   * @param rows row indices; null for all rows
   */
  static Batch of(Dataset data, int[] rows) {
    int size = rows == null ? data.rows() : rows.length;
    double[][] x = new double[size][data.features()];
    double[][] y = data.hasClasses() ? null : new double[size][data.outputs()];
    int[] labels = data.hasClasses() ? new int[size] : null;
    double[] weights = new double[size];
    for (int i = 0; i < size; i++) {
      int row = rows == null ? i : rows[i];
      weights[i] = data.weight(row);
      for (int column = 0; column < data.features(); column++) {
        x[i][column] = data.feature(row, column);
      }
      if (data.hasClasses()) {
        labels[i] = data.label(row);
      } else {
        for (int column = 0; column < data.outputs(); column++) {
          y[i][column] = data.target(row, column);
        }
      }
    }
    return new Batch(x, y, labels, weights);
  }

  int size() {
    return x.length;
  }
}
