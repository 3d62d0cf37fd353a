package dev.plumb.cli;

import dev.plumb.data.Column;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The notes about missing values that are filled in. */
final class MissingNote {
  private static final int MAX_NAMED = 8;

  private MissingNote() {}

  /**
   * Prints a line about the columns that have missing values in the training rows.
   *
   * @param columns resolved
   */
  static void training(Table rows, EncodingOptions columns, PrintStream err) {
    if (!columns.missing().fills()) {
      return;
    }
    List<String> counts = new ArrayList<>();
    boolean numbers = false;
    boolean texts = false;
    for (String name : columns.features()) {
      Column column = rows.column(name);
      long missing = IntStream.range(0, column.rows()).filter(column::isMissing).count();
      if (missing > 0) {
        counts.add("\"" + name + "\" (" + missing + ")");
        boolean isText = !column.isNumeric() || columns.categorical().contains(name);
        texts |= isText;
        numbers |= !isText;
      }
    }
    boolean indicator = columns.missing() == Missing.INDICATOR;
    print("training rows: ", counts, (numbers ? "; numbers are replaced by the "
        + (indicator ? Missing.MEAN.key() + " and marked by an additional input" : columns.missing().key()) : "")
        + (texts ? "; missing text is a category" : ""), err);
  }

  /**
   * Prints a line about the missing values of other rows that are replaced and not marked.
   *
   * @param which a prefix that says which rows these are, such as {@code "test rows: "}; may be empty
   */
  static void other(TableEncoding encoding, Table rows, String which, PrintStream err) {
    List<String> counts = new ArrayList<>();
    encoding.replaced(rows).forEach((column, count) -> counts.add("\"" + column + "\" (" + count + ")"));
    print(which, counts, "; replaced by values of the training rows", err);
  }

  private static void print(String which, List<String> counts, String treatment, PrintStream err) {
    if (!counts.isEmpty()) {
      err.println(TerminalText.sanitize("note: " + which + "missing values in " + counts.size()
          + (counts.size() == 1 ? " column" : " columns") + ": " + String.join(", ", counts.subList(0, Math.min(MAX_NAMED, counts.size())))
          + (counts.size() > MAX_NAMED ? ", ..." : "") + treatment));
    }
  }
}
