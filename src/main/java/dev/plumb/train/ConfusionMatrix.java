package dev.plumb.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The number of rows for each pair of true and predicted class. Only pairs that occur are stored: with many classes nearly all
 * counts are 0, and a table of 10,000 x 10,000 counts would take 800 MB.
 *
 * @param classes number of classes
 * @param cells sorted by true class, then by predicted class; each pair occurs once
 */
public record ConfusionMatrix(int classes, List<Cell> cells) {
  /**
   * A pair of classes that occurs.
   *
   * @param actual the true class, from 0
   * @param predicted the predicted class, from 0
   * @param count of rows, at least 1
   */
  public record Cell(int actual, int predicted, long count) {}

  public ConfusionMatrix {
    cells = List.copyOf(cells);
    for (Cell cell : cells) {
      if (cell.actual() >= classes || cell.predicted() >= classes) {
        throw new IllegalArgumentException(cell + " in a table of " + classes + " classes");
      }
    }
  }

  /**
   * Counts the pairs of classes of some rows.
   *
   * @param truth the true class of each row
   * @param predicted the predicted class of each row
   */
  public static ConfusionMatrix of(int classes, int[] truth, int[] predicted) {
    long[] pairs = new long[truth.length];
    Arrays.setAll(pairs, row -> (long) truth[row] * classes + predicted[row]);
    Arrays.sort(pairs);
    List<Cell> cells = new ArrayList<>();
    int first = 0;
    for (int i = 1; i <= pairs.length; i++) {
      if (i == pairs.length || pairs[i] != pairs[first]) {
        cells.add(new Cell((int) (pairs[first] / classes), (int) (pairs[first] % classes), i - first));
        first = i;
      }
    }
    return new ConfusionMatrix(classes, cells);
  }

  /** Returns the counts as a dense table [true class][predicted class]. */
  public long[][] table() {
    long[][] table = new long[classes][classes];
    for (Cell cell : cells) {
      table[cell.actual()][cell.predicted()] = cell.count();
    }
    return table;
  }
}
