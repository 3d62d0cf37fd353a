package dev.plumb.cli;

import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import java.io.PrintStream;

/** The note about categories that do not occur in the training data. */
final class UnknownCategories {
  private UnknownCategories() {}

  /**
   * Prints a line for each column with unknown categories.
   *
   * @param rows a prefix that says which rows these are, such as {@code "test rows: "}; may be empty
   */
  static void note(TableEncoding encoding, Table table, String rows, PrintStream err) {
    encoding.unknownCategories(table).forEach((column, count) -> err.println(TerminalText.sanitize(
        "note: " + rows + "column \"" + column + "\" has " + count
            + (count == 1 ? " value that does not occur" : " values that do not occur")
            + " in the training data; encoded as all zeros")));
  }
}
