package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Table of a data file: named columns of equal length, each of numbers or of text; immutable. */
public final class Table {
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final int rows;
  private final List<String> targets;
  private final Optional<Boolean> header;

  private Table(List<Column> columns, List<String> targets, Optional<Boolean> header) {
    if (columns.isEmpty()) {
      throw new InvalidInputException("a table needs at least one column");
    }
    this.targets = List.copyOf(targets);
    this.header = header;
    rows = columns.get(0).rows();
    for (Column column : columns) {
      if (column.rows() != rows) {
        throw new InvalidInputException("column \"" + column.name() + "\" has " + column.rows() + " rows, but column \""
            + columns.get(0).name() + "\" has " + rows);
      }
      if (this.columns.put(column.name(), column) != null) {
        throw new InvalidInputException("two columns have the name \"" + column.name() + "\"; names must be unique");
      }
    }
  }

  /**
   * Returns a table of columns.
   *
   * @param columns at least one, all of the same length
   * @return the table
   * @throws InvalidInputException when there is no column, their lengths differ, or two have the same name
   */
  public static Table of(List<Column> columns) {
    return new Table(columns, List.of(), Optional.empty());
  }

  /**
   * Returns a table of numbers.
   *
   * @param rows [rows][columns]; copied. NaN is a missing value; all other numbers must be finite
   * @param names of the columns, all different
   * @return the table
   * @throws InvalidInputException when there is no row, a row has another number of values than there are names, a name is null
   *     or occurs twice, or a number is infinite
   */
  public static Table of(double[][] rows, String... names) {
    if (rows.length == 0) {
      throw new InvalidInputException("a table without rows; at least one is needed");
    }
    for (int row = 0; row < rows.length; row++) {
      if (rows[row] == null || rows[row].length != names.length) {
        throw new InvalidInputException("row " + (row + 1) + " has " + (rows[row] == null ? "no" : rows[row].length)
            + " values, but " + names.length + (names.length == 1 ? " column is" : " columns are") + " named");
      }
      for (int column = 0; column < names.length; column++) {
        if (Double.isInfinite(rows[row][column])) {
          throw new InvalidInputException("row " + (row + 1) + ": column \"" + names[column] + "\" is " + rows[row][column]
              + "; numbers must be finite, or NaN for a missing value");
        }
      }
    }
    List<Column> columns = new ArrayList<>();
    for (int column = 0; column < names.length; column++) {
      if (names[column] == null) {
        throw new InvalidInputException("column " + (column + 1) + " of " + names.length + " has no name");
      }
      double[] numbers = new double[rows.length];
      for (int row = 0; row < rows.length; row++) {
        numbers[row] = rows[row][column];
      }
      columns.add(Column.ofNumbers(names[column], numbers));
    }
    return of(columns);
  }

  /**
   * Returns a table of numbers; see {@link #of(double[][], String...)}.
   *
   * @param rows [rows][columns]; copied
   * @param names of the columns, all different
   * @return the table
   * @throws InvalidInputException as {@link #of(double[][], String...)}
   */
  public static Table of(double[][] rows, List<String> names) {
    return of(rows, names.toArray(String[]::new));
  }

  /** Returns the table of a file that marks some columns as targets. */
  static Table of(List<Column> columns, List<String> targets) {
    return new Table(columns, targets, Optional.empty());
  }

  /** Returns the table of a text file. */
  static Table of(List<Column> columns, boolean header) {
    return new Table(columns, List.of(), Optional.of(header));
  }

  /**
   * Returns the number of rows.
   *
   * @return at least 0
   */
  public int rows() {
    return rows;
  }

  /**
   * Returns all columns.
   *
   * @return in the order of the file
   */
  public List<Column> columns() {
    return List.copyOf(columns.values());
  }

  /**
   * Returns the names of all columns.
   *
   * @return in the order of the file
   */
  public List<String> names() {
    return List.copyOf(columns.keySet());
  }

  /**
   * Returns the names of the columns that the file marks as targets: the array y of an NPZ file, or the labels.
   *
   * @return empty for other files
   */
  public List<String> targets() {
    return targets;
  }

  /**
   * Returns whether the table comes from a text file with a header; without one, columns are named by their numbers.
   *
   * @return empty when the table does not come from a text file
   */
  public Optional<Boolean> header() {
    return header;
  }

  /**
   * Returns whether there is a column of a name.
   *
   * @param name of the column
   * @return true even when the column could not be read
   */
  public boolean has(String name) {
    return columns.containsKey(name);
  }

  /**
   * Returns a column.
   *
   * @param name of the column
   * @return the column
   * @throws InvalidInputException when there is no column of that name, with a suggestion; or when the column could not be read
   */
  public Column column(String name) {
    Column column = columns.get(name);
    if (column == null) {
      throw new InvalidInputException("there is no column \"" + name + "\"" + Spelling.didYouMean(name, columns.keySet())
          + "; " + listed(names()) + commaHint(name));
    }
    column.requireReadable();
    return column;
  }

  /**
   * Returns a table of chosen rows. Values are not copied.
   *
   * @param indices of rows, from 0, in the order of the new table
   * @return the table
   */
  public Table rows(int[] indices) {
    int[] source = new int[indices.length];
    Column first = columns.values().iterator().next();
    for (int i = 0; i < indices.length; i++) {
      source[i] = first.sourceRow(indices[i]);
    }
    return new Table(columns.values().stream().map(column -> column.choose(source)).toList(), targets, header);
  }

  /**
   * Splits the rows at random into rows to train on and held-out rows to test on, both in the order of the table.
   *
   * @param testShare the share of the rows that is held out, above 0 and below 1: rows() · testShare rows, rounded, but at least
   *     one, and at least one row is left to train on
   * @param seed from 0 to 2³² - 1; the same seed always splits a table in the same way
   * @return training and test rows
   * @throws InvalidInputException when the share or the seed is out of range, or the table has fewer than two rows
   */
  public TableSplit split(double testShare, long seed) {
    if (!(testShare > 0 && testShare < 1)) {
      throw new InvalidInputException("a test share of " + testShare + " is not possible; it must be above 0 and below 1");
    }
    if (rows < 2) {
      throw new InvalidInputException("a table of " + rows + (rows == 1 ? " row" : " rows")
          + " cannot be split; it needs at least 2");
    }
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
    Split split = Split.of(rows, testShare, new NumpyRandom(seed), null);
    return new TableSplit(rows(split.training()), rows(split.validation()));
  }

  /**
   * Returns the number of missing values per column.
   *
   * @param names of columns
   * @return by column name, in the order of the names; only columns with missing values
   */
  public Map<String, Integer> missing(List<String> names) {
    Map<String, Integer> missing = new LinkedHashMap<>();
    for (String name : names) {
      int count = (int) IntStream.range(0, rows).filter(column(name)::isMissing).count();
      if (count > 0) {
        missing.put(name, count);
      }
    }
    return missing;
  }

  /** Returns a table of other columns of the same file, in these rows. */
  Table with(List<Column> others) {
    Column first = columns.values().iterator().next();
    return new Table(others.stream().map(first::rowsOf).toList(),
        targets.stream().filter(target -> others.stream().anyMatch(column -> column.name().equals(target))).toList(), header);
  }

  /** Returns this table with the name of its file in front of its columns' error messages. */
  Table at(String file) {
    return new Table(columns.values().stream().map(column -> column.at(file)).toList(), targets, header);
  }

  /**
   * Returns the number of a row in the file that the table was read from.
   *
   * @param row from 0
   * @return from 1; the header is not counted
   */
  public int sourceRow(int row) {
    return columns.values().iterator().next().sourceRow(row) + 1;
  }

  /** Returns a hint when the unknown name may be part of a name with a comma, which a list of names must quote. */
  private String commaHint(String name) {
    return columns.keySet().stream().filter(other -> other.contains(",") && other.contains(name)).findFirst()
        .map(other -> "; put a name with a comma in double quotes").orElse("");
  }

  private static String listed(List<String> names) {
    int shown = Math.min(names.size(), 12);
    return "the columns are " + names.subList(0, shown).stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(", "))
        + (shown < names.size() ? ", ... (" + names.size() + " in all)" : "");
  }
}
