package dev.plumb.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A table whose memory is released while its rows are encoded, apart from some columns. */
final class ReleasedTable {
  /** Released bytes after which the heap is collected: garbage below this is too little to matter. */
  private static final long MIN_COLLECTED = 16L << 20;
  /** Part of a table after which the heap is collected. */
  private static final int COLLECTIONS = 6;

  private final List<Table> kept = new ArrayList<>();
  private final List<Column> released = new ArrayList<>();
  private final int rowsBetween;
  private int lastRelease;
  private int lastCollection;

  /**
   * Creates a table to release.
   *
   * @param parts of the table; they share its columns
   * @param names columns to keep
   * @param targets columns to keep as well
   */
  ReleasedTable(List<Table> parts, Set<String> names, List<String> targets) {
    Set<String> all = new HashSet<>(names);
    all.addAll(targets);
    List<Column> columns = parts.get(0).columns();
    List<Column> keptColumns = columns.stream().filter(column -> all.contains(column.name())).map(Column::detached).toList();
    for (Table part : parts) {
      kept.add(part.with(keptColumns));
    }
    columns.stream().filter(column -> !all.contains(column.name())).forEach(released::add);
    double rowBytes = released.stream().mapToDouble(Column::width).sum();
    int rows = parts.stream().mapToInt(Table::rows).sum();
    rowsBetween = (int) Math.min(Integer.MAX_VALUE, Math.max(MIN_COLLECTED / Math.max(1, rowBytes), (double) rows / COLLECTIONS));
  }

  /** Returns the kept columns of each part. */
  List<Table> kept() {
    return kept;
  }

  /** Releases the first rows of the table. */
  void release(int rows) {
    released.forEach(column -> column.discard(lastRelease, rows));
    lastRelease = rows;
    if (rows - lastCollection >= rowsBetween) {
      lastCollection = rows;
      // Without this, the heap would grow instead of being reused.
      System.gc();
    }
  }
}
