package dev.plumb.report;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A selection of the rows to draw and list when there are too many. Rows are divided into blocks of equal length. Each block
 * keeps the rows in which a series has its minimum, its maximum or its first non-finite value; the first and the last row are
 * always kept. No peak is lost, and every number shown is a measured value.
 */
final class Thinning {
  private final int rows;
  private final int[] kept;
  private final int blockLength;

  /**
   * Selects rows.
   *
   * @param maxRows up to this number all rows are kept
   * @param always further rows that are kept
   */
  Thinning(int rows, List<double[]> series, int maxRows, int... always) {
    this.rows = rows;
    BitSet keep = new BitSet(rows);
    if (rows <= maxRows) {
      blockLength = 1;
      keep.set(0, rows);
    } else {
      int blocks = Math.max(1, maxRows / Math.max(1, 3 * series.size()));
      blockLength = (rows + blocks - 1) / blocks;
      keep.set(0);
      keep.set(rows - 1);
      for (double[] values : series) {
        for (int start = 0; start < rows; start += blockLength) {
          keepFromBlock(values, start, Math.min(rows, start + blockLength), keep);
        }
      }
    }
    for (int row : always) {
      keep.set(row);
    }
    kept = keep.stream().toArray();
  }

  private static void keepFromBlock(double[] values, int start, int end, BitSet keep) {
    int smallest = -1;
    int largest = -1;
    int notFinite = -1;
    for (int i = start; i < end; i++) {
      if (!Double.isFinite(values[i])) {
        notFinite = notFinite < 0 ? i : notFinite;
      } else {
        smallest = smallest < 0 || values[i] < values[smallest] ? i : smallest;
        largest = largest < 0 || values[i] > values[largest] ? i : largest;
      }
    }
    for (int i : new int[] {smallest, largest, notFinite}) {
      if (i >= 0) {
        keep.set(i);
      }
    }
  }

  /** Returns the indices of the rows that are kept, in ascending order. */
  int[] kept() {
    return kept;
  }

  /** Returns the values of the rows that are kept. */
  double[] of(double[] values) {
    double[] keptValues = new double[kept.length];
    for (int i = 0; i < kept.length; i++) {
      keptValues[i] = values[kept[i]];
    }
    return keptValues;
  }

  /** Returns a sentence on the rows that were left out; empty if all are kept. */
  String note(String rowName) {
    return kept.length == rows
        ? ""
        : Format.whole(kept.length) + " of " + Format.whole(rows) + " " + rowName + " are shown: in every block of "
            + Format.whole(blockLength) + ", those in which a curve has its minimum, maximum or first non-finite value.";
  }

  /** Returns at most {@code max} evenly spaced indices from 0 to size - 1, including the first and the last. */
  static int[] spread(int size, int max) {
    int count = Math.min(size, max);
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      indices.add(count == 1 ? 0 : (int) Math.round(i * (size - 1.0) / (count - 1)));
    }
    return indices.stream().mapToInt(Integer::intValue).distinct().toArray();
  }
}
