package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.DeviceArrays;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The rows of matrices in another order, as data of which a step's batch names the rows.
 *
 * @param list of the batch's rows, for kernels; NONE where they are in their own order
 */
public record ListedRows(double[] data, RowList list) {
  /** struct Step of kernels/common.cuh. */
  private static final int WORDS_OF_STEP = 6;

  /**
   * @param matrices [replica or 1][n x columns]
   * @param firstReplica of those that the launch computes
   * @param norms whether the step records them
   */
  public static ListedRows of(
      DeviceArrays device, SplittableRandom random, double[] matrices, int n, int columns, int firstReplica, boolean norms) {
    int rows = matrices.length / columns;
    int[] order = IntStream.range(0, rows).toArray();
    for (int i = rows - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int moved = order[i];
      order[i] = order[other];
      order[other] = moved;
    }
    double[] data = new double[matrices.length];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(matrices, row * columns, data, order[row] * columns, columns);
    }
    int stride = rows == n ? 0 : n;
    long[] steps = new long[2 * WORDS_OF_STEP];
    steps[WORDS_OF_STEP + 3] = (long) firstReplica * stride;
    steps[WORDS_OF_STEP + 4] = stride | -1L << 32;
    steps[WORDS_OF_STEP + 5] = n | (norms ? 1L << 32 : 0);
    return new ListedRows(data, new RowList(
        device.upload(new int[] {1, 2}).address(), device.upload(steps).address(), device.upload(order).address()));
  }
}
