package dev.plumb.data;

import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Order in which an epoch's steps visit the rows. Shuffled mini-batches draw one {@code permutation(rows)} from the stream per
 * epoch and take its rows in order; the last batch may be smaller. A full batch keeps the order of the data and draws nothing.
 */
public final class BatchOrder {
  private final int rows;
  private final int batchSize;
  private final boolean shuffle;
  private final NumpyRandom stream;

  /**
   * Creates an order.
   *
   * @param rows of the data
   * @param batchSize rows per step; empty, or equal to rows, for all rows in one step
   * @param shuffle whether rows are shuffled every epoch; otherwise batches follow the order of the data
   * @param stream of random numbers
   */
  public BatchOrder(int rows, OptionalInt batchSize, boolean shuffle, NumpyRandom stream) {
    this.rows = rows;
    this.batchSize = batchSize.orElse(rows);
    this.shuffle = shuffle;
    this.stream = stream;
  }

  /**
   * Returns the number of steps per epoch.
   *
   * @return rows / batch size, rounded up
   */
  public int stepsPerEpoch() {
    return (rows + batchSize - 1) / batchSize;
  }

  /**
   * Returns whether an epoch draws from the stream.
   *
   * @return true for shuffled mini-batches
   */
  public boolean drawsFromStream() {
    return batchSize < rows && shuffle;
  }

  /**
   * Advances the stream as a number of epochs would, after a training that stopped early, so that later draws do not depend on
   * it.
   *
   * @param epochs to skip
   */
  public void skip(int epochs) {
    if (drawsFromStream()) {
      for (int i = 0; i < epochs; i++) {
        stream.permutation(rows);
      }
    }
  }

  /**
   * Returns the row indices of each step of the next epoch.
   *
   * @return [steps][rows of the step]; null in place of the indices means all rows
   */
  public int[][] nextEpoch() {
    if (batchSize >= rows) {
      return new int[][] {null};
    }
    int[] order = new int[rows];
    if (shuffle) {
      order = stream.permutation(rows);
    } else {
      Arrays.setAll(order, i -> i);
    }
    int[][] batches = new int[stepsPerEpoch()][];
    for (int step = 0; step < batches.length; step++) {
      batches[step] = Arrays.copyOfRange(order, step * batchSize, Math.min(rows, (step + 1) * batchSize));
    }
    return batches;
  }
}
