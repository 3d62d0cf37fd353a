package dev.plumb.data;

import dev.plumb.model.InvalidInputException;

/**
 * One named column of a table, immutable: numbers, or words. A value can be missing: NaN among numbers, null among words. Numbers
 * are finite otherwise.
 */
public final class Column {
  /** Whole numbers up to here are written without a fraction: a double holds them all. */
  private static final double MAX_WHOLE = 1L << 53;

  private final String name;
  private final ColumnValues values;
  /** Which rows of the values these are; null for all in order. The columns of a table share it, so choosing copies no value. */
  private final int[] rows;
  /** The first word that was taken for a missing value; null when there was none. */
  private final String missingWord;
  /** Why it could not be read; null when it could. */
  private final InvalidInputException fault;

  Column(String name, ColumnValues values, int[] rows) {
    this(name, values, rows, null);
  }

  Column(String name, ColumnValues values, int[] rows, String missingWord) {
    this(name, values, rows, missingWord, null);
  }

  private Column(String name, ColumnValues values, int[] rows, String missingWord, InvalidInputException fault) {
    this.name = name;
    this.values = values;
    this.rows = rows;
    this.missingWord = missingWord;
    this.fault = fault;
  }

  /** A column that could not be read, which matters only when it is used. */
  static Column unreadable(String name, int rows, InvalidInputException fault) {
    return new Column(name, new ColumnValues.Unreadable(rows), null, null, fault);
  }

  /** A column of numbers, NaN where one is missing. */
  public static Column ofNumbers(String name, double... numbers) {
    ColumnValues.Doubles values = new ColumnValues.Doubles();
    for (double number : numbers) {
      values.add(number);
    }
    return new Column(name, values, null);
  }

  /** A column of words, null where one is missing. */
  public static Column ofText(String name, String... texts) {
    ColumnValues.Texts values = new ColumnValues.Texts();
    for (String text : texts) {
      values.add(text);
    }
    return new Column(name, values, null);
  }

  public String name() {
    return name;
  }

  public int rows() {
    return rows == null ? values.size() : rows.length;
  }

  public boolean isNumeric() {
    requireReadable();
    return values instanceof ColumnValues.Numbers;
  }

  public boolean isMissing(int row) {
    return isNumeric() ? Double.isNaN(number(row)) : text(row) == null;
  }

  /**
   * NaN where it is missing.
   *
   * @throws IllegalStateException when this is a column of words
   */
  public double number(int row) {
    requireReadable();
    if (values instanceof ColumnValues.Numbers numbers) {
      return numbers.get(sourceRow(row));
    }
    throw new IllegalStateException("column " + name + " has words");
  }

  /**
   * The word, or the number as it was written in a text file; other numbers are written without a fraction where they are whole.
   * Null where it is missing.
   *
   * @throws InvalidInputException when these are numbers of a text file whose texts were too many to be kept
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
          + " different numbers, too many to be names; read it as text (--categorical) if they are");
    }
    return ((ColumnValues.Numbers) values).text(sourceRow(row));
  }

  /** Something that is equal for rows of the same number, also where doubles are too coarse to tell. */
  Object identity(int row) {
    double number = number(row);
    boolean isExact = Math.abs(number) < MAX_WHOLE || values instanceof ColumnValues.Doubles;
    // + 0.0 makes one of the two zeros.
    return isExact ? (Object) (number + 0.0) : text(row);
  }

  /** Whether its numbers are names made of digits, such as 00501 or an id of 20 digits. */
  boolean hasCodes() {
    return values instanceof ColumnValues.Doubles doubles && doubles.areCodes();
  }

  /** What stood in the file for a missing value, in quotes and parentheses for a message; nothing where fields were empty. */
  String missingNote() {
    return missingWord == null ? "" : " (\"" + missingWord + "\" stands for a missing value)";
  }

  /** The same with the name of its file in front of what is wrong with it, if anything is. */
  Column at(String file) {
    return fault == null ? this : new Column(name, values, rows, missingWord, fault.at(file));
  }

  /** @throws InvalidInputException when it could not be read */
  void requireReadable() {
    if (fault != null) {
      throw fault;
    }
  }

  /** Where a row stood in what was read, from 0. */
  int sourceRow(int row) {
    return rows == null ? row : rows[row];
  }

  /** @param source of what was read; not copied */
  Column choose(int[] source) {
    return new Column(name, values, source, missingWord, fault);
  }

  /** How a number is written as the name of a class or a category. */
  static String written(double number) {
    return number == Math.rint(number) && Math.abs(number) <= MAX_WHOLE ? Long.toString((long) number) : Double.toString(number);
  }
}
