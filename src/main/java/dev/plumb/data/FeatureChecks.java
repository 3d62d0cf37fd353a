package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Checks and counts of the values in a table's feature columns, for an encoding. */
final class FeatureChecks {
  private final List<FeatureColumn> features;
  private final Optional<Boolean> header;

  FeatureChecks(TableEncoding encoding) {
    features = encoding.features();
    header = encoding.header();
  }

  Map<String, Integer> unknownCategories(Table table) {
    Map<String, Integer> unknown = new TreeMap<>();
    for (FeatureColumn feature : features) {
      if (feature instanceof FeatureColumn.Categorical categorical) {
        Column column = column(table, feature.name());
        ClassNames known = new ClassNames(categorical.categories());
        put(unknown, feature, IntStream.range(0, table.rows())
            .filter(row -> !column.isMissing(row) && known.index(column.text(row)) < 0));
      }
    }
    return unknown;
  }

  Map<String, Integer> replaced(Table table) {
    Map<String, Integer> missing = new TreeMap<>();
    for (FeatureColumn feature : features) {
      boolean isFilled = feature instanceof FeatureColumn.Numeric numeric ? numeric.fill().isPresent() && !numeric.indicator()
          : feature instanceof FeatureColumn.Categorical categorical && categorical.fill().isPresent();
      if (isFilled) {
        put(missing, feature, IntStream.range(0, table.rows()).filter(column(table, feature.name())::isMissing));
      }
    }
    return missing;
  }

  private static void put(Map<String, Integer> counts, FeatureColumn feature, IntStream rows) {
    int count = (int) rows.count();
    if (count > 0) {
      counts.put(feature.name(), count);
    }
  }

  /**
   * Checks that both files have a header or neither has: a column named 1 in a header is not the first column of a file without.
   */
  void requireSameHeader(Table table) {
    if (header.isPresent() && table.header().isPresent() && !header.equals(table.header())) {
      throw new InvalidInputException(header.get()
          ? "has no header, but the model was trained on named columns: " + QuotedText.of(features.get(0).name())
              + (features.size() > 1 ? ", ..." : "") + "; add a header, or use --header yes if line 1 is one"
          : "has a header in line 1, but the model was trained on a file without one; remove it, or use --header no if it is a"
              + " row");
    }
  }

  /** Returns a column that the model was trained on. */
  static Column column(Table table, String name) {
    try {
      return table.column(name);
    } catch (InvalidInputException e) {
      throw table.has(name) ? e : new InvalidInputException(e.getMessage() + "; the model was trained on it", e);
    }
  }

  static void requireNumbers(Column column, Table table) {
    if (!column.isNumeric()) {
      int row = IntStream.range(0, column.rows()).filter(i -> !column.isMissing(i)).findFirst().orElse(0);
      throw new InvalidInputException("column \"" + column.name() + "\" contains text (row " + table.sourceRow(row) + ": \""
          + column.text(row) + "\"), but the model was trained on numbers there");
    }
  }

  /** Returns the error about the first row in which the column has no value. */
  static InvalidInputException missing(Table table, Column column) {
    int row = IntStream.range(0, column.rows()).filter(column::isMissing).findFirst().orElseThrow();
    return new InvalidInputException("row " + table.sourceRow(row) + ": column \"" + column.name() + "\" has no value"
        + column.missingNote() + "; remove such rows, or train with --missing " + Missing.MEAN.key());
  }
}
