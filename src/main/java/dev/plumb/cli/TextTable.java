package dev.plumb.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows in aligned columns, two spaces apart, without lines or trailing blanks: readable, and easy to cut. */
final class TextTable {
  private final List<String> headers = new ArrayList<>();
  private final List<Boolean> alignedRight = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  /** A column of words. */
  TextTable left(String header) {
    headers.add(header);
    alignedRight.add(false);
    return this;
  }

  /** A column of numbers. */
  TextTable right(String header) {
    headers.add(header);
    alignedRight.add(true);
    return this;
  }

  void row(List<String> cells) {
    if (cells.size() != headers.size()) {
      throw new IllegalArgumentException(cells.size() + " cells in a table of " + headers.size() + " columns");
    }
    rows.add(cells.stream().map(Printable::text).toList());
  }

  void print(PrintStream out) {
    int[] widths = new int[headers.size()];
    Arrays.setAll(widths, column -> Math.max(length(headers.get(column)),
        rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0)));
    print(headers, widths, out);
    rows.forEach(row -> print(row, widths, out));
  }

  private void print(List<String> cells, int[] widths, PrintStream out) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String blanks = " ".repeat(widths[column] - length(cells.get(column)));
      line.append(column == 0 ? "" : "  ");
      line.append(alignedRight.get(column) ? blanks + cells.get(column) : cells.get(column) + blanks);
    }
    out.println(line.toString().stripTrailing());
  }

  private static int length(String cell) {
    return cell.codePointCount(0, cell.length());
  }
}
