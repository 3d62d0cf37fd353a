package dev.plumb.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table in plain text: aligned columns, two blanks apart, without rules or trailing blanks. */
final class TextTable {
  private final List<String> headers = new ArrayList<>();
  private final List<Integer> minWidths = new ArrayList<>();
  private final List<Boolean> alignedRight = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  /** Adds a left-aligned column. */
  TextTable left(String header) {
    return column(header, 0, false);
  }

  /** Adds a left-aligned column with a minimum width. */
  TextTable left(String header, int minWidth) {
    return column(header, minWidth, false);
  }

  /** Adds a right-aligned column. */
  TextTable right(String header) {
    return column(header, 0, true);
  }

  /** Adds a right-aligned column with a minimum width. */
  TextTable right(String header, int minWidth) {
    return column(header, minWidth, true);
  }

  private TextTable column(String header, int minWidth, boolean right) {
    headers.add(header);
    minWidths.add(Math.max(minWidth, length(header)));
    alignedRight.add(right);
    return this;
  }

  void row(List<String> cells) {
    rows.add(printable(cells));
  }

  private List<String> printable(List<String> cells) {
    if (cells.size() != headers.size()) {
      throw new IllegalArgumentException(cells.size() + " cells in a table of " + headers.size() + " columns");
    }
    return cells.stream().map(TerminalText::sanitize).toList();
  }

  void print(PrintStream out) {
    int[] widths = new int[headers.size()];
    Arrays.setAll(widths, column -> Math.max(minWidths.get(column),
        rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0)));
    print(headers, widths, out);
    rows.forEach(row -> print(row, widths, out));
  }

  /** Prints the headers of a table whose rows are printed one by one, in columns of their minimum widths. */
  void printHeaders(PrintStream out) {
    print(headers, minWidths(), out);
  }

  /** Prints a row without storing it. A cell wider than its column shifts the rest of the row. */
  void printRow(List<String> cells, PrintStream out) {
    print(printable(cells), minWidths(), out);
  }

  private int[] minWidths() {
    return minWidths.stream().mapToInt(Integer::intValue).toArray();
  }

  private void print(List<String> cells, int[] widths, PrintStream out) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String blanks = " ".repeat(Math.max(0, widths[column] - length(cells.get(column))));
      line.append(column == 0 ? "" : "  ");
      line.append(alignedRight.get(column) ? blanks + cells.get(column) : cells.get(column) + blanks);
    }
    out.println(line.toString().stripTrailing());
  }

  private static int length(String cell) {
    return cell.codePointCount(0, cell.length());
  }
}
