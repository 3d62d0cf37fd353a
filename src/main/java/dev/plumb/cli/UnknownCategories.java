package dev.plumb.cli;

import java.io.PrintStream;
import java.util.Map;

/** The note about categories that do not occur in the training data. */
final class UnknownCategories {
  private UnknownCategories() {}

  /**
   * Prints a line for each column with unknown categories.
   *
   * @param unknown number of values by column
   * @param rows a prefix that says which rows these are, such as {@code "test rows: "}; may be empty
   */
  static void note(Map<String, ? extends Number> unknown, String rows, PrintStream err) {
    unknown.forEach((column, count) -> err.println(TerminalText.sanitize(
        "note: " + rows + "column \"" + column + "\" has " + count
            + (count.longValue() == 1 ? " value that does not occur" : " values that do not occur")
            + " in the training data; encoded as all zeros")));
  }
}
