package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.Locale;

/**
 * Memory limit of a table, so that a file that does not fit is refused with a remedy before it is read completely. The estimates
 * are for numeric features; categories take more when they are encoded.
 *
 * @param heap maximum heap size in bytes
 * @param use of the table
 * @param tableBytes bytes of the part of the table that was read before
 * @param values number of values of that part
 */
record HeapBudget(long heap, TableUse use, double tableBytes, double values) {
  /**
   * Memory of a column's own objects, from reading to encoding, splitting and writing a model: a training with 1,000,000 columns
   * and 3 rows takes between 768 MiB and 1 GiB.
   */
  static final double COLUMN_BYTES = 1000;

  /** Memory per row of a training besides features: targets, indices of the split and of mini-batches, scores. */
  static final double ROW_BYTES = 30;

  /** Heap of a process besides data: the JVM's own objects and a small network. */
  static final long PROCESS_BYTES = 12 << 20;

  /** A piece of rows, their encoding and their predictions. */
  private static final double PIECE_BYTES = 16 << 20;

  /** Part of the smaller of table and features that is held in addition to the larger, while one is turned into the other. */
  private static final double OVERLAP = 0.05;
  /** The collector's room to move, as a factor. */
  private static final double SLACK = 1.03;
  private static final long MAX_MEGABYTES = 4096;
  private static final double MEGABYTE = 1 << 20;
  private static final long MAX_VALUES = Integer.MAX_VALUE - 8;

  HeapBudget(long heap, TableUse use) {
    this(heap, use, 0, 0);
  }

  static HeapBudget ofHeap(TableUse use) {
    return new HeapBudget(Runtime.getRuntime().maxMemory(), use);
  }

  /**
   * Checks that a table fits, and what it is used for.
   *
   * @param moreBytes memory of the table as it is read
   * @param rows number of rows
   * @param columns number of columns
   * @param table and its size, for the message: "about 5000 rows of 20 columns"
   * @throws InvalidInputException when it does not fit
   */
  void require(double moreBytes, double rows, double columns, String table) {
    double needed = needed(tableBytes + moreBytes, values + rows * columns, rows);
    if (needed > heap) {
      throw new InvalidInputException(table + (tableBytes > 0 ? " and the data already read" : "") + " need about " + size(needed)
          + " of memory, but Java may use " + size(heap) + "; set PLUMB_JAVA_OPTS=-Xmx" + option(needed)
          + " (if the machine has that much), or use fewer rows or columns");
    }
  }

  private double needed(double table, double allValues, double rows) {
    double features = use.bytesPerValue() * allValues;
    double held = use.releasesTable() ? Math.max(table, features) + OVERLAP * Math.min(table, features) : table + features;
    return SLACK * (held + ROW_BYTES * rows + PROCESS_BYTES + (features == 0 ? PIECE_BYTES : 0));
  }

  /** Returns a heap size as the option -Xmx takes it. */
  private static String option(double needed) {
    long megabytes = (long) Math.ceil(needed / MEGABYTE / 10) * 10;
    return megabytes < MAX_MEGABYTES ? megabytes + "m" : (megabytes + 1023) / 1024 + "g";
  }

  /** Returns the budget that is left after an array. */
  HeapBudget without(NumberArray array) {
    return new HeapBudget(heap, use, tableBytes + array.bytes(), values + (double) array.rows() * array.columns());
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

  private static String size(double bytes) {
    return bytes < MAX_MEGABYTES * MEGABYTE ? String.format(Locale.ROOT, "%.0f MiB", Math.ceil(bytes / MEGABYTE))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / MEGABYTE / 1024);
  }
}
