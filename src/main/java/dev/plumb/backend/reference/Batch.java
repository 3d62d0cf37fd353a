package dev.plumb.backend.reference;

import dev.plumb.data.Dataset;

/** The rows of one step: features x [rows][features], and targets y [rows][outputs] or labels [rows]. */
record Batch(double[][] x, double[][] y, int[] labels) {
  /** @param rows indices into the data; null for all */
  static Batch of(Dataset data, int[] rows) {
    int size = rows == null ? data.rows() : rows.length;
    double[][] x = new double[size][data.features()];
    double[][] y = data.hasClasses() ? null : new double[size][data.outputs()];
    int[] labels = data.hasClasses() ? new int[size] : null;
    for (int i = 0; i < size; i++) {
      int row = rows == null ? i : rows[i];
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
    return new Batch(x, y, labels);
  }

  int size() {
    return x.length;
  }
}
