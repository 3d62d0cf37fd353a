package dev.plumb.backend.cpu.fp64;

import dev.plumb.data.Dataset;

/**
 * A data set in this precision. Its features are those of the data set itself if that has the same precision, otherwise a copy;
 * targets are read from the data set.
 */
@SuppressWarnings("cast")
final class Samples {
  private final Dataset data;
  private final int rows;
  private final int features;
  private final int outputs;
  /** [block][rows of the block x features]. */
  private final double[][] blocks;
  private final int shift;
  private final int mask;
  private final double[] weights;
  private double[] all;
  private double[][] columns;
  private Targets targets;

  Samples(Dataset data) {
    this.data = data;
    rows = data.rows();
    features = data.features();
    outputs = data.outputs();
    blocks = data.featureMatrix().blocks(double[][].class);
    shift = data.featureMatrix().shift();
    mask = (1 << shift) - 1;
    weights = data.hasWeights() ? new double[rows] : null;
    for (int row = 0; weights != null && row < rows; row++) {
      weights[row] = (double) data.weight(row);
    }
  }

  int rows() {
    return rows;
  }

  /**
   * Returns the array that contains rows, from index {@link #offset} on; null if they are not in one array. It must not be
   * changed.
   */
  double[] x(int first, int count) {
    return first >> shift == (first + count - 1) >> shift ? blocks[first >> shift] : null;
  }

  /** Returns the index of the first feature of a row in its array. */
  int offset(int row) {
    return (row & mask) * features;
  }

  /** Returns all features [rows x features], which must not be changed. */
  double[] all() {
    if (all == null) {
      all = blocks.length == 1 ? blocks[0] : new double[rows * features];
      for (int block = 0, at = 0; blocks.length > 1 && block < blocks.length; at += blocks[block++].length) {
        System.arraycopy(blocks[block], 0, all, at, blocks[block].length);
      }
    }
    return all;
  }

  /** Computes {@link #columns} and {@link #targets()}, for steps on all rows. Call it before several threads read them. */
  void transpose() {
    if (columns == null) {
      columns = new double[features][RowPadding.padded(rows)];
      features(null, 0, rows, columns);
      RowPadding.repeatLast(columns, rows);
      targets = data.hasClasses() ? new Targets(null, new int[rows]) : new Targets(new double[outputs][rows], null);
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
      System.arraycopy(blocks[chosen[i] >> shift], offset(chosen[i]), to, i * features, features);
    }
  }

  /**
   * Copies the features of some samples, transposed.
   *
   * @param chosen row indices, of which those from first on are used; null for the rows from first on
   * @param to [features][samples]
   */
  void features(int[] chosen, int first, int count, double[][] to) {
    if (blocks.length == 1) {
      double[] x = blocks[0];
      for (int column = 0; column < features; column++) {
        double[] row = to[column];
        for (int i = 0; i < count; i++) {
          row[i] = x[(chosen == null ? first + i : chosen[first + i]) * features + column];
        }
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      int row = chosen == null ? first + i : chosen[first + i];
      double[] x = blocks[row >> shift];
      int offset = offset(row);
      for (int column = 0; column < features; column++) {
        to[column][i] = x[offset + column];
      }
    }
  }

  /** Copies the targets of some samples, transposed. */
  void targets(int[] chosen, int first, int count, Targets to) {
    targets(chosen, first, count, to, 0, outputs);
  }

  /** Copies columns from..end - 1 of the targets, transposed, or the labels. The loop over rows reads the targets in order. */
  void targets(int[] chosen, int first, int count, Targets to, int from, int end) {
    if (data.hasClasses()) {
      for (int i = 0; i < count; i++) {
        to.labels()[i] = data.label(chosen == null ? first + i : chosen[first + i]);
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      int row = chosen == null ? first + i : chosen[first + i];
      for (int column = from; column < end; column++) {
        to.y()[column][i] = (double) data.target(row, column);
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

  /** Returns the size of the features and of its other arrays, in bytes. */
  long bytes() {
    long copies = 1 + (all == null || blocks.length == 1 ? 0 : 1) + (columns == null ? 0 : 1);
    return Double.BYTES * (copies * rows * features + (columns == null || data.hasClasses() ? 0 : (long) rows * outputs)
        + (weights == null ? 0 : weights.length)) + (columns == null || !data.hasClasses() ? 0 : (long) Integer.BYTES * rows);
  }
}
