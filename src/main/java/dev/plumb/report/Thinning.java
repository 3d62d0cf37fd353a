package dev.plumb.report;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Which of many rows are drawn and listed. Rows are cut into runs of equal length; of each run those rows stay where one of the
 * series is smallest, largest or first not finite, and of all rows the first and the last. So no peak is lost, and every number
 * shown is one that was measured.
 */
final class Thinning {
  private final int rows;
  private final int[] kept;
  private final int runLength;

  /** @param mostRows below which all rows stay; of more, at most as many for each run are kept as said above */
  Thinning(int rows, List<double[]> series, int mostRows) {
    this.rows = rows;
    BitSet keep = new BitSet(rows);
    if (rows <= mostRows) {
      runLength = 1;
      keep.set(0, rows);
    } else {
      int runs = Math.max(1, mostRows / Math.max(1, 3 * series.size()));
      runLength = (rows + runs - 1) / runs;
      keep.set(0);
      keep.set(rows - 1);
      for (double[] values : series) {
        for (int start = 0; start < rows; start += runLength) {
          keepOfRun(values, start, Math.min(rows, start + runLength), keep);
        }
      }
    }
    kept = keep.stream().toArray();
  }

  private static void keepOfRun(double[] values, int start, int end, BitSet keep) {
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

  /** Rising. */
  int[] kept() {
    return kept;
  }

  double[] of(double[] values) {
    double[] some = new double[kept.length];
    for (int i = 0; i < kept.length; i++) {
      some[i] = values[kept[i]];
    }
    return some;
  }

  /** What was left out, for the reader; empty where nothing was. */
  String note(String what) {
    return kept.length == rows
        ? ""
        : "Of " + Figures.whole(rows) + " " + what + " " + Figures.whole(kept.length) + " are shown: of every "
            + Figures.whole(runLength) + " those where a curve is smallest or largest or stops being finite.";
  }

  /** At most so many of all indices, evenly spread, the first and the last among them. */
  static int[] spread(int all, int most) {
    int count = Math.min(all, most);
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      indices.add(count == 1 ? 0 : (int) Math.round(i * (all - 1.0) / (count - 1)));
    }
    return indices.stream().mapToInt(Integer::intValue).distinct().toArray();
  }
}
