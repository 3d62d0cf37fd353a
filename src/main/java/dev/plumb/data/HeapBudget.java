package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.Locale;

/**
 * How much memory a table may take, so that a file which does not fit is refused with the remedy before it is read whole.
 *
 * @param bytes of the heap that can be used
 * @param taken by what was read before into the same table
 */
record HeapBudget(long bytes, double taken) {
  /**
   * A column's own objects, from reading to encoding, splitting and writing a model: a training of 1,000,000 columns and 3 rows
   * takes between 768 MiB and 1 GiB.
   */
  static final double COLUMN_BYTES = 1000;

  /** What the heap holds beside data: classes' own objects, the network, what the collector needs to move things about. */
  private static final double SHARE = 0.85;
  private static final long MAX_VALUES = Integer.MAX_VALUE - 8;

  HeapBudget(long bytes) {
    this(bytes, 0);
  }

  static HeapBudget ofHeap() {
    return new HeapBudget((long) (SHARE * Runtime.getRuntime().maxMemory()));
  }

  /**
   * A table is held as it was read and, beside that, as the network takes it: 8 bytes a value.
   *
   * @param what the table, with what is known of its size: "about 5000 rows of 20 columns"
   * @throws InvalidInputException when a table of so many bytes and values does not fit
   */
  void require(double tableBytes, double values, String what) {
    double needed = taken + tableBytes + Double.BYTES * values;
    if (needed > bytes) {
      long gigabytes = (long) Math.ceil(needed / SHARE / (1 << 30)) + 1;
      throw new InvalidInputException(what + (taken > 0 ? " and what was read before" : "") + " need about " + size(needed) + " of memory, but Java may use " + size(bytes)
          + "; set PLUMB_JAVA_OPTS=-Xmx" + gigabytes + "g (if the machine has that much), or use fewer rows or columns");
    }
  }

  /** Returns what is left when an array is kept. */
  HeapBudget without(NumberArray array) {
    return new HeapBudget(bytes, taken + array.bytes());
  }

  /** @throws InvalidInputException when so many numbers are more than one array holds */
  static void requireArray(long rows, double columns) {
    if (rows * columns > MAX_VALUES) {
      throw new InvalidInputException(rows + " rows of " + Math.round(columns) + " numbers are more than the " + MAX_VALUES
          + " values that data may have; use fewer rows or columns");
    }
  }

  static String size(double bytes) {
    return bytes < 1e6 ? String.format(Locale.ROOT, "%.0f kB", Math.ceil(bytes / 1e3))
        : bytes < 1e9 ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6) : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
