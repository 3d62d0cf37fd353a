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
 * An array that was read whole, as rows: [rows x columns], where a row of an array of more dimensions is all that one index of
 * the first has, and an array of one dimension is one column.
 *
 * @param bytes of memory that it takes as columns of a table and as the network takes it
 */
record NumberArray(int rows, int columns, boolean columnAfterColumn, Cells cells, double bytes) {
  /** NumPy's arrays have no more. */
  private static final int MAX_DIMENSIONS = 64;

  /** The numbers in the order of the file. */
  interface Cells {
    double number(int cell);

    /** Returns the number as the name of a class or a category. */
    default String text(int cell) {
      return Column.written(number(cell));
    }
  }

  /** What stands before the numbers. */
  record Header(NumberType type, ByteOrder order, long[] shape, boolean columnAfterColumn) {
    /**
     * Reads the numbers, if they fit.
     *
     * @param bytesLeft how many bytes the file has behind the header, or -1 when that is not known
     */
    NumberArray readNumbers(InputStream in, double bytesLeft, HeapBudget budget) throws IOException {
      if (shape.length == 0) {
        throw new InvalidInputException("has a single number; a table needs rows");
      }
      if (shape.length > MAX_DIMENSIONS) {
        throw new InvalidInputException("has " + shape.length + " dimensions; " + MAX_DIMENSIONS + " are the most that are read");
      }
      double values = Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b);
      String what = Arrays.stream(shape).mapToObj(Long::toString).reduce((a, b) -> a + " x " + b).orElseThrow();
      if (Arrays.stream(shape).anyMatch(length -> length < 1)) {
        throw new InvalidInputException("has " + what + " numbers; a table needs rows and columns");
      }
      if (bytesLeft >= 0 && bytesLeft < values * type.bytes()) {
        throw new InvalidInputException("says that it has " + what + " numbers of " + type.bytes() + " bytes, but has "
            + Math.round(bytesLeft) + " bytes of them; the file is not complete");
      }
      double columns = values / shape[0];
      HeapBudget.requireArray(shape[0], columns);
      double tableBytes = values * type.heldBytes() + columns * HeapBudget.COLUMN_BYTES;
      budget.require(tableBytes, values, what + " numbers");
      if (columnAfterColumn && shape.length > 2) {
        throw new InvalidInputException("has " + shape.length + " dimensions in Fortran order; save it with"
            + " np.ascontiguousarray, or as rows and columns");
      }
      return new NumberArray((int) shape[0], (int) columns, columnAfterColumn,
          type.read(in, (int) values, order), tableBytes + Double.BYTES * values);
    }
  }

  /**
   * Returns its columns. One that has an infinity cannot be used, which matters only to those who need it.
   *
   * @param name of each column, from 0
   */
  List<Column> asColumns(IntFunction<String> name) {
    Map<Integer, InvalidInputException> faults = infinities();
    List<Column> list = new ArrayList<>(columns);
    for (int column = 0; column < columns; column++) {
      InvalidInputException fault = faults.get(column);
      list.add(fault != null ? Column.unreadable(name.apply(column), rows, fault) : new Column(name.apply(column), columnAfterColumn
          ? new ColumnValues.Picked(cells, column * rows, 1, rows)
          : new ColumnValues.Picked(cells, column, columns, rows), null));
    }
    return list;
  }

  /** What to say of each column that has one, about its first. */
  private Map<Integer, InvalidInputException> infinities() {
    Map<Integer, InvalidInputException> faults = new HashMap<>();
    for (int cell = 0; cell < rows * columns; cell++) {
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
