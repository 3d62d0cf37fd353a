package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of another program that are collected as a table of a model's features. Numbers are converted to double; the category of a
 * number is the number as a file would have it, such as 3 or 0.5.
 */
public final class RowTable {
  private final List<FeatureColumn> features;
  private final List<ColumnValues> values = new ArrayList<>();

  /**
   * Creates an empty table.
   *
   * @param encoding of the model
   */
  public RowTable(TableEncoding encoding) {
    features = encoding.features();
    features.forEach(feature ->
        values.add(feature instanceof FeatureColumn.Numeric ? new ColumnValues.Doubles() : new ColumnValues.Texts()));
  }

  /**
   * Adds the value of a feature in the next row.
   *
   * @param feature its index in the encoding
   * @param value a {@link Number}, a text or a boolean; null or NaN for a missing value
   * @throws InvalidInputException when a number is needed, and it is text or infinite
   */
  public void add(int feature, Object value) {
    if (values.get(feature) instanceof ColumnValues.Doubles numbers) {
      numbers.add(number(features.get(feature).name(), value));
    } else if (values.get(feature) instanceof ColumnValues.Texts texts) {
      texts.add(value instanceof BigDecimal decimal ? decimal.stripTrailingZeros().toPlainString() : RowEncoder.text(value));
    }
  }

  private static double number(String column, Object value) {
    double number = RowEncoder.number(column, value);
    if (Double.isInfinite(number)) {
      throw new InvalidInputException("column \"" + column + "\" is " + number
          + "; numbers must be finite, or NaN for a missing value");
    }
    return number;
  }

  /**
   * Returns the rows.
   *
   * @return a table of all features
   */
  public Table table() {
    List<Column> columns = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      columns.add(new Column(features.get(i).name(), values.get(i), null));
    }
    return Table.of(columns);
  }

  /**
   * Checks that there is a column for each feature.
   *
   * @param encoding of the model
   * @param names of the columns
   * @throws InvalidInputException when one is missing, with a suggestion
   */
  public static void requireColumns(TableEncoding encoding, List<String> names) {
    Table empty = Table.of(names.stream().map(Column::ofNumbers).toList());
    encoding.features().forEach(feature -> FeatureChecks.column(empty, feature.name()));
  }
}
