package dev.plumb.backend.cpu.fp64;

import java.util.Arrays;

/**
 * The extra samples at the end of the rows of a small network, with which the kernels process whole vectors only. In a step, the
 * extra samples repeat the last sample, so they are finite if that is, and their gradient of the loss is 0: nothing that is summed
 * over samples depends on them.
 */
final class RowPadding {
  /** Rows are padded to a multiple of this many samples. */
  static final int MULTIPLE = VectorizationProvider.get().sampleMultiple();

  private RowPadding() {}

  /** Returns the number of samples with the extra ones. */
  static int padded(int samples) {
    return (samples + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
  }

  /** Repeats the last sample of each row. */
  static void repeatLast(double[][] rows, int samples) {
    int padded = padded(samples);
    if (padded > samples) {
      for (double[] row : rows) {
        Arrays.fill(row, samples, padded, row[samples - 1]);
      }
    }
  }

  /** Sets the extra samples of each row to 0. */
  static void clear(double[][] rows, int samples) {
    int padded = padded(samples);
    if (padded > samples) {
      for (double[] row : rows) {
        Arrays.fill(row, samples, padded, 0);
      }
    }
  }
}
