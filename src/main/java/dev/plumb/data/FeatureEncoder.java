package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Encoding of a table's feature columns as network inputs. */
final class FeatureEncoder {
  private final List<FeatureColumn> features;
  private final Optional<Boolean> header;
  private final int inputs;

  FeatureEncoder(TableEncoding encoding) {
    features = encoding.features();
    header = encoding.header();
    inputs = encoding.inputs();
  }

  /**
   * Encodes all rows.
   *
   * @return [rows x inputs] row-major
   * @throws InvalidInputException when a column does not exist, or a value is missing or has the wrong type
   */
  double[] encode(Table table) {
    requireSameHeader(table);
    HeapBudget.requireArray(table.rows(), inputs);
    double[] x = new double[table.rows() * inputs];
    int first = 0;
    for (FeatureColumn feature : features) {
      Column column = column(table, feature.name());
      if (feature instanceof FeatureColumn.Numeric numeric) {
        encode(numeric, column, table, x, first);
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        encode(categorical, column, table, x, first);
      }
      first += feature.inputs();
    }
    return x;
  }

  private void encode(FeatureColumn.Numeric numeric, Column column, Table table, double[] x, int first) {
    requireNumbers(column, table);
    for (int row = 0; row < table.rows(); row++) {
      double number = column.number(row);
      if (Double.isNaN(number)) {
        number = numeric.fill().orElseThrow(() -> missing(table, column));
        if (numeric.indicator()) {
          x[row * inputs + first + 1] = 1;
        }
      }
      x[row * inputs + first] = (number - numeric.mean()) / numeric.scale();
    }
  }

  private void encode(FeatureColumn.Categorical categorical, Column column, Table table, double[] x, int first) {
    ClassNames known = new ClassNames(categorical.categories());
    for (int row = 0; row < table.rows(); row++) {
      String text = column.text(row);
      int category = text == null && categorical.indicator() ? categorical.categories().size()
          : known.index(text != null ? text : categorical.fill().orElseThrow(() -> missing(table, column)));
      if (category >= 0) {
        x[row * inputs + first + category] = 1;
      }
    }
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
  private void requireSameHeader(Table table) {
    if (header.isPresent() && table.header().isPresent() && !header.equals(table.header())) {
      throw new InvalidInputException(header.get()
          ? "has no header, but the model was trained on named columns: " + QuotedText.of(features.get(0).name())
              + (features.size() > 1 ? ", ..." : "") + "; add a header, or use --header yes if line 1 is one"
          : "has a header in line 1, but the model was trained on a file without one; remove it, or use --header no if it is a"
              + " row");
    }
  }

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
  private static InvalidInputException missing(Table table, Column column) {
    int row = IntStream.range(0, column.rows()).filter(column::isMissing).findFirst().orElseThrow();
    return new InvalidInputException("row " + table.sourceRow(row) + ": column \"" + column.name() + "\" has no value"
        + column.missingNote() + "; remove such rows, or train with --missing " + Missing.MEAN.key());
  }
}
