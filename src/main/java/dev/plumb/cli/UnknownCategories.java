package dev.plumb.cli;

import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import java.io.PrintStream;

/** The note about values that a model was not trained with, the same wherever rows are scored or predicted. */
final class UnknownCategories {
  private UnknownCategories() {}

  /**
   * Prints a line for each column that has categories which training did not: their inputs are all 0.
   *
   * @param rows which rows these are, where there are several kinds: {@code "test rows: "}
   */
  static void note(TableEncoding encoding, Table table, String rows, PrintStream err) {
    encoding.unknownCategories(table).forEach((column, count) -> err.println(TerminalText.sanitize(
        "note: " + rows + "column \"" + column + "\" has " + count
            + (count == 1 ? " value that does not occur" : " values that do not occur")
            + " in the training data; encoded as all zeros")));
  }
}
