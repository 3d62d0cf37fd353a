package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Array in memory as rows [rows x columns]. The first dimension is the row; further dimensions are flattened into columns, and an
 * array of one dimension is one column.
 *
 * @param columnAfterColumn whether cells are in column-major order
 * @param isFloat whether a number can be infinite
 * @param bytes of memory
 */
record NumberArray(int rows, int columns, boolean columnAfterColumn, Cells cells, boolean isFloat, double bytes) {
  /** NumPy's limit. */
  private static final int MAX_DIMENSIONS = 64;

  /** Numbers in the order of the file. */
  interface Cells {
    double number(int cell);

    /** Returns the number in the spelling of a class or category name. */
    default String text(int cell) {
      return Column.written(number(cell));
    }

    /** Returns the memory of a number in bytes. */
    int width();

    /** Releases the memory of numbers up to to - 1, which will not be read again, as far as it can be; those up to from - 1 are. */
    void discard(int from, int to);

    /** Returns a copy of every step-th number. */
    Cells copy(int first, int step, int count);
  }

  /** Header of an array: everything before the numbers. */
  record Header(NumberType type, ByteOrder order, long[] shape, boolean columnAfterColumn) {
    /**
     * Reads the numbers, if they fit in memory.
     *
     * @param bytesLeft number of bytes after the header, or -1 when it is unknown
     */
    NumberArray readNumbers(InputStream in, double bytesLeft, HeapBudget budget) throws IOException {
      if (shape.length == 0) {
        throw new InvalidInputException("has a single number; a table needs rows");
      }
      if (shape.length > MAX_DIMENSIONS) {
        throw new InvalidInputException("has " + shape.length + " dimensions; the maximum is " + MAX_DIMENSIONS);
      }
      double values = Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b);
      String extents = Arrays.stream(shape).mapToObj(Long::toString).reduce((a, b) -> a + " x " + b).orElseThrow();
      if (Arrays.stream(shape).anyMatch(length -> length < 1)) {
        throw new InvalidInputException("has " + extents + " numbers; a table needs rows and columns");
      }
      if (bytesLeft >= 0 && bytesLeft < values * type.bytes()) {
        throw new InvalidInputException("its header announces " + extents + " numbers of " + type.bytes() + " bytes, but "
            + Math.round(bytesLeft) + " bytes follow; the file is not complete");
      }
      double columns = values / shape[0];
      HeapBudget.requireArray(shape[0], columns);
      double tableBytes = values * type.bytes() + columns * HeapBudget.COLUMN_BYTES;
      budget.require(tableBytes, shape[0], columns, extents + " numbers");
      if (columnAfterColumn && shape.length > 2) {
        throw new InvalidInputException("has " + shape.length + " dimensions in Fortran order; save it with"
            + " np.ascontiguousarray, or as rows and columns");
      }
      return new NumberArray((int) shape[0], (int) columns, columnAfterColumn,
          type.read(in, (int) values, order), type.isFloat(), tableBytes);
    }
  }

  /**
   * Returns the columns. A column with an infinity throws an error only when it is used.
   *
   * @param name of each column, by index from 0
   */
  List<Column> asColumns(IntFunction<String> name) {
    Map<Integer, InvalidInputException> faults = infinities();
    List<Column> list = new ArrayList<>(columns);
    for (int column = 0; column < columns; column++) {
      InvalidInputException fault = faults.get(column);
      ColumnValues values = columnAfterColumn
          ? new ColumnValues.Picked(cells, column * rows, 1, rows)
          : new ColumnValues.Picked(cells, column, columns, rows);
      list.add(fault != null ? Column.unreadable(name.apply(column), rows, fault) : new Column(name.apply(column), values, null));
    }
    return list;
  }

  /** Returns an error for each column with an infinity, about its first. */
  private Map<Integer, InvalidInputException> infinities() {
    Map<Integer, InvalidInputException> faults = new HashMap<>();
    for (int cell = 0; isFloat && cell < rows * columns; cell++) {
      if (Double.isInfinite(cells.number(cell))) {
        int row = columnAfterColumn ? cell % rows : cell / columns;
        int column = columnAfterColumn ? cell / rows : cell % columns;
        double number = cells.number(cell);
        faults.computeIfAbsent(column, c -> new InvalidInputException(
            "row " + (row + 1) + ", column " + (c + 1) + " is " + number + "; data must be finite"));
      }
    }
    return faults;
  }
}
