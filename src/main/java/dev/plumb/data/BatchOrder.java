package dev.plumb.data;

import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Which rows each step of an epoch takes. Shuffled batches cost one {@code permutation(rows)} of the stream an epoch, cut into
 * pieces from its front; the last batch may be short. All rows at once are taken in their own order and draw nothing.
 */
public final class BatchOrder {
  private final int rows;
  private final int batchSize;
  private final boolean shuffle;
  private final NumpyRandom stream;

  /**
   * @param batchSize empty, or equal to rows, for all rows in one step
   * @param shuffle whether batches are drawn anew every epoch; without it they follow the data's own order
   */
  public BatchOrder(int rows, OptionalInt batchSize, boolean shuffle, NumpyRandom stream) {
    this.rows = rows;
    this.batchSize = batchSize.orElse(rows);
    this.shuffle = shuffle;
    this.stream = stream;
  }

  public int stepsPerEpoch() {
    return (rows + batchSize - 1) / batchSize;
  }

  /** Whether an epoch takes numbers from the stream. */
  public boolean drawsFromStream() {
    return batchSize < rows && shuffle;
  }

  /** Draws what that many epochs would have drawn, for a training that ended early: what comes after is not disturbed. */
  public void skip(int epochs) {
    if (drawsFromStream()) {
      for (int i = 0; i < epochs; i++) {
        stream.permutation(rows);
      }
    }
  }

  /** The row indices of each step of the next epoch; a null stands for all rows. */
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
