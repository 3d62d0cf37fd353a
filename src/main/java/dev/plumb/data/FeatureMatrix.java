package dev.plumb.data;

import dev.plumb.model.Precision;
import java.util.Arrays;

/**
 * Features X [rows x features] of a data set as floats or doubles, in blocks of consecutive rows: a large table is never in one
 * array, so that the memory of its columns is released block by block while it is encoded. The arrays must not be changed.
 */
public final class FeatureMatrix {
  /** The number of rows of a block is a multiple of this, unless there is only one. */
  public static final int BLOCK_ROWS = 512;

  /** Values of a block, unless its rows are very wide: less than half of the smallest region of the G1 collector. */
  private static final int BLOCK_VALUES = 1 << 15;

  private final int rows;
  private final int features;
  /** Rows of all blocks but the last: 2 to the power of this. */
  private final int shift;
  /** [block][row x features]; null if the values are doubles. */
  private final float[][] floats;
  private final double[][] doubles;

  private FeatureMatrix(int rows, int features, int shift, float[][] floats, double[][] doubles) {
    this.rows = rows;
    this.features = features;
    this.shift = shift;
    this.floats = floats;
    this.doubles = doubles;
  }

  /** Returns a matrix of one array, which is not copied: [rows x features], row-major. */
  static FeatureMatrix adopt(int rows, int features, double[] x) {
    return new FeatureMatrix(rows, features, Integer.SIZE - 1, null, new double[][] {x});
  }

  /** Returns a matrix whose blocks are to be {@linkplain #allocate allocated} and {@linkplain #set written}. */
  static FeatureMatrix unwritten(int rows, int features, Precision precision) {
    int shift = Integer.numberOfTrailingZeros(BLOCK_ROWS);
    while (2L * features << shift <= BLOCK_VALUES) {
      shift++;
    }
    int blocks = rows == 0 ? 0 : ((rows - 1) >> shift) + 1;
    return precision == Precision.FP64 ? new FeatureMatrix(rows, features, shift, null, new double[blocks][])
        : new FeatureMatrix(rows, features, shift, new float[blocks][], null);
  }

  /** Allocates a block of zeros. */
  void allocate(int block) {
    int values = (end(block) - first(block)) * features;
    if (floats != null) {
      floats[block] = new float[values];
    } else {
      doubles[block] = new double[values];
    }
  }

  /** Releases a block. */
  void drop(int block) {
    if (floats != null) {
      floats[block] = null;
    } else {
      doubles[block] = null;
    }
  }

  /** Sets a value, rounded to the precision of the matrix. */
  void set(int row, int column, double value) {
    int at = index(row, column);
    if (floats != null) {
      floats[row >> shift][at] = (float) value;
    } else {
      doubles[row >> shift][at] = value;
    }
  }

  /** Returns the index of a value within its block. */
  private int index(int row, int column) {
    return (row & ((1 << shift) - 1)) * features + column;
  }

  /** Returns the first row of a block. */
  int first(int block) {
    return block << shift;
  }

  /** Returns the first row after a block. */
  int end(int block) {
    return (int) Math.min(rows, (block + 1L) << shift);
  }

  int blockCount() {
    return floats != null ? floats.length : doubles.length;
  }

  /** Returns a value. */
  double get(int row, int column) {
    int at = index(row, column);
    return floats != null ? floats[row >> shift][at] : doubles[row >> shift][at];
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
   * Returns the binary logarithm of the number of rows of every block but the last, which may have fewer: row r is the row
   * {@code r & (1 << shift) - 1} of block {@code r >> shift}.
   *
   * @return at least that of {@link #BLOCK_ROWS}
   */
  public int shift() {
    return shift;
  }

  /**
   * Returns the blocks in a precision: the arrays of this matrix if it has that precision, otherwise converted copies.
   *
   * @param type {@code float[][].class} or {@code double[][].class}
   * @param <A> float[][] or double[][]
   * @return [block][rows of the block x features]; not to be changed
   */
  public <A> A blocks(Class<A> type) {
    if (type == float[][].class) {
      return type.cast(floats != null ? floats : Arrays.stream(doubles).map(FeatureMatrix::rounded).toArray(float[][]::new));
    }
    return type.cast(doubles != null ? doubles : Arrays.stream(floats).map(FeatureMatrix::widened).toArray(double[][]::new));
  }

  private static float[] rounded(double[] block) {
    float[] rounded = new float[block.length];
    for (int i = 0; i < block.length; i++) {
      rounded[i] = (float) block[i];
    }
    return rounded;
  }

  private static double[] widened(float[] block) {
    double[] widened = new double[block.length];
    for (int i = 0; i < block.length; i++) {
      widened[i] = block[i];
    }
    return widened;
  }

  /** Returns rows as doubles [rows x features], a copy. */
  double[] copy(int firstRow, int count) {
    double[] copy = new double[count * features];
    for (int done = 0; done < count; ) {
      int row = firstRow + done;
      int block = row >> shift;
      int from = index(row, 0);
      int length = Math.min(count - done, end(block) - row) * features;
      if (doubles != null) {
        System.arraycopy(doubles[block], from, copy, done * features, length);
      } else {
        for (int i = 0; i < length; i++) {
          copy[done * features + i] = floats[block][from + i];
        }
      }
      done += length / features;
    }
    return copy;
  }

  /** Returns a copy of this matrix. */
  FeatureMatrix copied() {
    return floats != null
        ? new FeatureMatrix(rows, features, shift, Arrays.stream(floats).map(float[]::clone).toArray(float[][]::new), null)
        : new FeatureMatrix(rows, features, shift, null, Arrays.stream(doubles).map(double[]::clone).toArray(double[][]::new));
  }

  /** Returns whole blocks as a matrix that shares their arrays. */
  FeatureMatrix slice(int firstBlock, int endBlock) {
    int count = end(endBlock - 1) - first(firstBlock);
    return floats != null
        ? new FeatureMatrix(count, features, shift, Arrays.copyOfRange(floats, firstBlock, endBlock), null)
        : new FeatureMatrix(count, features, shift, null, Arrays.copyOfRange(doubles, firstBlock, endBlock));
  }

  /** Checks that all values are finite. */
  void requireFinite() {
    for (int block = 0; block < blockCount(); block++) {
      for (int row = first(block); row < end(block); row++) {
        for (int column = 0; column < features; column++) {
          if (!Double.isFinite(get(row, column))) {
            throw Dataset.notFinite("feature", row, column, get(row, column));
          }
        }
      }
    }
  }
}
