package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a data file holds, immutable: named columns of one length, each of numbers or of words. */
public final class Table {
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final int rows;
  private final List<String> targets;
  private final Optional<Boolean> header;

  private Table(List<Column> columns, List<String> targets, Optional<Boolean> header) {
    if (columns.isEmpty()) {
      throw new InvalidInputException("a table without columns; at least one is needed");
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
        throw new InvalidInputException("two columns have the name \"" + column.name() + "\"");
      }
    }
  }

  /** @throws InvalidInputException when there is none, their lengths differ, or two have one name */
  public static Table of(List<Column> columns) {
    return new Table(columns, List.of(), Optional.empty());
  }

  /** The same, of a file that says which columns are its targets. */
  static Table of(List<Column> columns, List<String> targets) {
    return new Table(columns, targets, Optional.empty());
  }

  /** The same, of a text file. */
  static Table of(List<Column> columns, boolean header) {
    return new Table(columns, List.of(), Optional.of(header));
  }

  public int rows() {
    return rows;
  }

  /** In the order of the file. */
  public List<Column> columns() {
    return List.copyOf(columns.values());
  }

  public List<String> names() {
    return List.copyOf(columns.keySet());
  }

  /** The columns that the file itself calls its targets: those of the array y, or of labels; empty for other files. */
  public List<String> targets() {
    return targets;
  }

  /** Whether the columns have names in a text file, rather than numbers by their place; empty where there was no such file. */
  public Optional<Boolean> header() {
    return header;
  }

  public boolean has(String name) {
    return columns.containsKey(name);
  }

  /**
   * @throws InvalidInputException when there is no column of that name, in which case the message has the nearest one; or when it
   *     could not be read, which does not matter to those who use other columns
   */
  public Column column(String name) {
    Column column = columns.get(name);
    if (column == null) {
      throw new InvalidInputException("there is no column \"" + name + "\"" + Spelling.didYouMean(name, columns.keySet())
          + "; " + listed(names()) + hint(name));
    }
    column.requireReadable();
    return column;
  }

  /** The chosen rows, in the order given; values are not copied. */
  public Table rows(int[] indices) {
    int[] source = new int[indices.length];
    Column first = columns.values().iterator().next();
    for (int i = 0; i < indices.length; i++) {
      source[i] = first.sourceRow(indices[i]);
    }
    return new Table(columns.values().stream().map(column -> column.choose(source)).toList(), targets, header);
  }

  /** The same with the name of its file in front of what is wrong with columns. */
  Table at(String file) {
    return new Table(columns.values().stream().map(column -> column.at(file)).toList(), targets, header);
  }

  /** Which row of the data as it was read this is, from 1, for messages. */
  int sourceRow(int row) {
    return columns.values().iterator().next().sourceRow(row) + 1;
  }

  /** Names are listed between commas, where one that has a comma of its own comes to pieces. */
  private String hint(String name) {
    return columns.keySet().stream().filter(other -> other.contains(",") && other.contains(name)).findFirst()
        .map(other -> "; a name with a comma is put in double quotes within the list").orElse("");
  }

  private static String listed(List<String> names) {
    int shown = Math.min(names.size(), 12);
    return "there are " + names.subList(0, shown).stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(", "))
        + (shown < names.size() ? ", ... (" + names.size() + " in all)" : "");
  }
}
