package dev.plumb.data;

/**
 * One named column of a table, immutable: numbers, or words. A value can be missing: NaN among numbers, null among words. Numbers
 * are finite otherwise.
 */
public final class Column {
  /** Whole numbers up to here are written without a fraction: a double holds them all. */
  private static final double MOST_WHOLE = 1L << 53;

  private final String name;
  private final Values values;
  /** Which rows of the values these are; null for all in order. The columns of a table share it, so choosing copies no value. */
  private final int[] rows;

  Column(String name, Values values, int[] rows) {
    this.name = name;
    this.values = values;
    this.rows = rows;
  }

  /** A column of numbers, NaN where one is missing. */
  public static Column ofNumbers(String name, double... numbers) {
    Values.Doubles values = new Values.Doubles();
    for (double number : numbers) {
      values.add(number);
    }
    return new Column(name, values, null);
  }

  /** A column of words, null where one is missing. */
  public static Column ofWords(String name, String... words) {
    Values.Words values = new Values.Words();
    for (String word : words) {
      values.add(word);
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
    return values instanceof Values.Numbers;
  }

  public boolean isMissing(int row) {
    return isNumeric() ? Double.isNaN(number(row)) : word(row) == null;
  }

  /**
   * NaN where it is missing.
   *
   * @throws IllegalStateException when this is a column of words
   */
  public double number(int row) {
    if (values instanceof Values.Numbers numbers) {
      return numbers.get(sourceRow(row));
    }
    throw new IllegalStateException("column " + name + " has words");
  }

  /** The word, or the number as it is written: 3, not 3.0. Null where it is missing. */
  public String word(int row) {
    if (values instanceof Values.Words words) {
      return words.get(sourceRow(row));
    }
    Values.Numbers numbers = (Values.Numbers) values;
    int source = sourceRow(row);
    return Double.isNaN(numbers.get(source)) ? null : numbers.text(source);
  }

  /** Where a row stood in what was read, from 0. */
  int sourceRow(int row) {
    return rows == null ? row : rows[row];
  }

  /** @param source of what was read; not copied */
  Column choose(int[] source) {
    return new Column(name, values, source);
  }

  /** How a number is written as the name of a class or a category. */
  static String written(double number) {
    return number == Math.rint(number) && Math.abs(number) <= MOST_WHOLE ? Long.toString((long) number) : Double.toString(number);
  }
}
