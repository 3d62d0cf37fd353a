package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.Locale;

/**
 * Memory limit of a table, so that a file that does not fit is refused with a remedy before it is read completely.
 *
 * @param bytes of the heap that a table may use
 * @param taken bytes of data already read into the same table
 */
record HeapBudget(long bytes, double taken) {
  /**
   * Memory of a column's own objects, from reading to encoding, splitting and writing a model: a training with 1,000,000 columns
   * and 3 rows takes between 768 MiB and 1 GiB.
   */
  static final double COLUMN_BYTES = 1000;

  /** Share of the heap for data; the rest is for the JVM's own objects, the network and the garbage collector. */
  private static final double SHARE = 0.85;
  private static final long MAX_VALUES = Integer.MAX_VALUE - 8;

  HeapBudget(long bytes) {
    this(bytes, 0);
  }

  static HeapBudget ofHeap() {
    return new HeapBudget((long) (SHARE * Runtime.getRuntime().maxMemory()));
  }

  /**
   * Checks that a table fits: as it was read, and again as network inputs with 8 bytes per value.
   *
   * @param tableBytes memory of the table as it was read
   * @param values number of values
   * @param table and its size, for the message: "about 5000 rows of 20 columns"
   * @throws InvalidInputException when it does not fit
   */
  void require(double tableBytes, double values, String table) {
    double needed = taken + tableBytes + Double.BYTES * values;
    if (needed > bytes && !Boolean.getBoolean("nobudget")) {
      long gigabytes = (long) Math.ceil(needed / SHARE / (1 << 30)) + 1;
      throw new InvalidInputException(table + (taken > 0 ? " and the data already read" : "") + " need about " + size(needed)
          + " of memory, but Java may use " + size(bytes) + "; set PLUMB_JAVA_OPTS=-Xmx" + gigabytes
          + "g (if the machine has that much), or use fewer rows or columns");
    }
  }

  /** Returns the budget that is left after an array. */
  HeapBudget without(NumberArray array) {
    return new HeapBudget(bytes, taken + array.bytes());
  }

  /**
   * Checks that a Java array can hold a table's values.
   *
   * @throws InvalidInputException when it cannot
   */
  static void requireArray(long rows, double columns) {
    if (rows * columns > MAX_VALUES) {
      throw new InvalidInputException(rows + " rows of " + Math.round(columns) + " numbers are more than " + MAX_VALUES
          + " values, the maximum of a table; use fewer rows or columns");
    }
  }

  static String size(double bytes) {
    return bytes < 1e6 ? String.format(Locale.ROOT, "%.0f kB", Math.ceil(bytes / 1e3))
        : bytes < 1e9 ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6) : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
