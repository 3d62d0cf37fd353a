package dev.plumb.data;

import dev.plumb.model.InvalidInputException;

/**
 * Named column of a table, of numbers or of text; immutable. A missing value is NaN in a column of numbers and null in a column
 * of text. All other numbers are finite.
 */
public final class Column {
  /** Largest whole number that is written without a fraction; a double represents all up to it. */
  private static final double MAX_WHOLE = 1L << 53;

  private final String name;
  private final ColumnValues values;
  /**
   * Indices of this column's rows in the values; null for all in order. Columns of a table share it, so choosing rows copies
   * none.
   */
  private final int[] rows;
  /** The first text that marked a missing value; null when there was none. */
  private final String missingText;
  /** The reason why the column could not be read; null when it could. */
  private final InvalidInputException fault;

  Column(String name, ColumnValues values, int[] rows) {
    this(name, values, rows, null);
  }

  Column(String name, ColumnValues values, int[] rows, String missingText) {
    this(name, values, rows, missingText, null);
  }

  private Column(String name, ColumnValues values, int[] rows, String missingText, InvalidInputException fault) {
    this.name = name;
    this.values = values;
    this.rows = rows;
    this.missingText = missingText;
    this.fault = fault;
  }

  /** Creates a column that could not be read; only its use is an error. */
  static Column unreadable(String name, int rows, InvalidInputException fault) {
    return new Column(name, new ColumnValues.Unreadable(rows), null, null, fault);
  }

  /**
   * Returns a column of numbers.
   *
   * @param name of the column
   * @param numbers one per row; NaN for a missing value
   * @return the column
   */
  public static Column ofNumbers(String name, double... numbers) {
    ColumnValues.Doubles values = new ColumnValues.Doubles();
    for (double number : numbers) {
      values.add(number);
    }
    return new Column(name, values, null);
  }

  /**
   * Returns a column of text.
   *
   * @param name of the column
   * @param texts one per row; null for a missing value
   * @return the column
   */
  public static Column ofText(String name, String... texts) {
    ColumnValues.Texts values = new ColumnValues.Texts();
    for (String text : texts) {
      values.add(text);
    }
    return new Column(name, values, null);
  }

  /**
   * Returns the name.
   *
   * @return unique within a table
   */
  public String name() {
    return name;
  }

  /**
   * Returns the number of rows.
   *
   * @return values, including missing ones
   */
  public int rows() {
    return rows == null ? values.size() : rows.length;
  }

  /**
   * Returns whether this is a column of numbers.
   *
   * @return false for text
   * @throws InvalidInputException when the column could not be read
   */
  public boolean isNumeric() {
    requireReadable();
    return values instanceof ColumnValues.Numbers;
  }

  /**
   * Returns whether a row has no value.
   *
   * @param row from 0
   * @return true when the value is missing
   * @throws InvalidInputException when the column could not be read
   */
  public boolean isMissing(int row) {
    return isNumeric() ? Double.isNaN(number(row)) : text(row) == null;
  }

  /**
   * Returns a number.
   *
   * @param row from 0
   * @return NaN when the value is missing
   * @throws IllegalStateException when this is a column of text
   * @throws InvalidInputException when the column could not be read
   */
  public double number(int row) {
    requireReadable();
    if (values instanceof ColumnValues.Numbers numbers) {
      return numbers.get(sourceRow(row));
    }
    throw new IllegalStateException("column " + name + " contains text");
  }

  /**
   * Returns the text, or the number as it was written in a text file. Numbers from other files are written without a fraction
   * when they are whole.
   *
   * @param row from 0
   * @return null when the value is missing
   * @throws InvalidInputException when the column could not be read, or its numbers had too many spellings to be kept
   */
  public String text(int row) {
    requireReadable();
    if (values instanceof ColumnValues.Texts texts) {
      return texts.get(sourceRow(row));
    }
    if (Double.isNaN(number(row))) {
      return null;
    }
    if (values instanceof ColumnValues.Doubles doubles && doubles.hasLostSpellings()) {
      throw new InvalidInputException("column \"" + name + "\" has more than " + ColumnValues.Doubles.MAX_SPELLINGS
          + " distinct numbers, too many for classes; if they are names, read the column as text (--categorical)");
    }
    return ((ColumnValues.Numbers) values).text(sourceRow(row));
  }

  /** Returns a key that is equal for equal numbers, also for integers that a double cannot distinguish. */
  Object identity(int row) {
    double number = number(row);
    boolean isExact = Math.abs(number) < MAX_WHOLE || values instanceof ColumnValues.Doubles;
    // + 0.0 turns -0.0 into 0.0.
    return isExact ? (Object) (number + 0.0) : text(row);
  }

  /** Returns whether the numbers are codes made of digits, such as 00501 or an id of 20 digits. */
  boolean hasCodes() {
    return values instanceof ColumnValues.Doubles doubles && doubles.areCodes();
  }

  /** Returns a note for messages on the text that marked a missing value in the file; empty when fields were empty. */
  String missingNote() {
    return missingText == null ? "" : " (\"" + missingText + "\" stands for a missing value)";
  }

  /** Returns this column with the name of its file in front of its error message, if it has one. */
  Column at(String file) {
    return fault == null ? this : new Column(name, values, rows, missingText, fault.at(file));
  }

  /** Throws the error of a column that could not be read. */
  void requireReadable() {
    if (fault != null) {
      throw fault;
    }
  }

  /** Returns a column of the same values that shares no memory with other columns. */
  Column detached() {
    return values instanceof ColumnValues.Picked picked ? new Column(name, picked.copy(), rows, missingText, fault) : this;
  }

  /**
   * Releases the memory of the first rows in the file, as far as it can be; they must not be read again.
   *
   * @param from number of rows that were released before
   * @param to number of rows to release
   */
  void discard(int from, int to) {
    values.discard(from, to);
  }

  /** Returns the memory of a row in the file in bytes, on average. */
  double width() {
    return values.width();
  }

  /** Returns the index of a row in the file, from 0. */
  int sourceRow(int row) {
    return rows == null ? row : rows[row];
  }

  /**
   * Returns a column of chosen rows.
   *
   * @param source indices of the rows in the file; not copied
   */
  Column choose(int[] source) {
    return new Column(name, values, source, missingText, fault);
  }

  /** Returns the rows of this column from another column of the file. */
  Column rowsOf(Column other) {
    return new Column(other.name, other.values, rows, other.missingText, other.fault);
  }

  /** Returns a number in the spelling of a class or category name. */
  static String written(double number) {
    return number == Math.rint(number) && Math.abs(number) <= MAX_WHOLE ? Long.toString((long) number) : Double.toString(number);
  }
}
