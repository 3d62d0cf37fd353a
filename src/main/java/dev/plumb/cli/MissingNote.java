package dev.plumb.cli;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Missing;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

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
    training(rows.missing(columns.features()), name -> !rows.column(name).isNumeric() || columns.categorical().contains(name), columns, err);
  }

  /**
   * Prints a line about the columns that have missing values in the training rows.
   *
   * @param missing number of missing values by column
   * @param columns resolved
   */
  static void training(Map<String, Integer> missing, TableEncoding encoding, EncodingOptions columns, PrintStream err) {
    Set<String> texts = encoding.features().stream().filter(FeatureColumn.Categorical.class::isInstance).map(FeatureColumn::name)
        .collect(Collectors.toSet());
    training(missing, texts::contains, columns, err);
  }

  private static void training(Map<String, Integer> missing, Predicate<String> isText, EncodingOptions columns, PrintStream err) {
    if (!columns.missing().fills()) {
      return;
    }
    boolean texts = missing.keySet().stream().anyMatch(isText);
    boolean numbers = missing.keySet().stream().anyMatch(isText.negate());
    boolean indicator = columns.missing() == Missing.INDICATOR;
    print("training rows: ", missing, (numbers ? "; numbers are replaced by the "
        + (indicator ? Missing.MEAN.key() + " and marked by an additional input" : columns.missing().key()) : "")
        + (texts ? "; missing text is a category" : ""), err);
  }

  /**
   * Prints a line about the missing values of other rows that are replaced and not marked.
   *
   * @param replaced number of such values by column
   * @param which a prefix that says which rows these are, such as {@code "test rows: "}; may be empty
   */
  static void other(Map<String, ? extends Number> replaced, String which, PrintStream err) {
    print(which, replaced, "; replaced by values of the training rows", err);
  }

  private static void print(String which, Map<String, ? extends Number> missing, String treatment, PrintStream err) {
    List<String> counts = missing.entrySet().stream().map(entry -> "\"" + entry.getKey() + "\" (" + entry.getValue() + ")").toList();
    if (!counts.isEmpty()) {
      err.println(TerminalText.sanitize("note: " + which + "missing values in " + counts.size()
          + (counts.size() == 1 ? " column" : " columns") + ": " + String.join(", ", counts.subList(0, Math.min(MAX_NAMED, counts.size())))
          + (counts.size() > MAX_NAMED ? ", ..." : "") + treatment));
    }
  }
}
