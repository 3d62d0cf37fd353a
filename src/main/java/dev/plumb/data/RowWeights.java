package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * Weights of rows in the loss: the weight of the row itself, times that of its class.
 *
 * @param column column with the weight of each row; empty for none
 * @param classes weights of the classes; empty for none
 */
public record RowWeights(Optional<String> column, Optional<ClassWeights> classes) {
  /** No weights: all rows count the same. */
  public static final RowWeights NONE = new RowWeights(Optional.empty(), Optional.empty());

  /**
   * Returns whether there are no weights.
   *
   * @return true for {@link #NONE}
   */
  public boolean isNone() {
    return column.isEmpty() && classes.isEmpty();
  }

  /**
   * Resolves the columns of a training. The column of weights is neither a feature nor the default target, unless the features name
   * it.
   *
   * @param table with all rows
   * @param columns not yet resolved
   * @return the complete options
   * @throws InvalidInputException as {@link EncodingOptions#resolve(Table)}, and when the column of weights does not exist or is a
   *     target
   */
  public EncodingOptions resolve(Table table, EncodingOptions columns) {
    return columns.resolve(table, reserved(table, columns));
  }

  /** Returns the name of the column of weights, if there is one, after checking it. */
  Set<String> reserved(Table table, EncodingOptions columns) {
    column.ifPresent(table::column);
    if (column.isPresent() && columns.targets().contains(column.get())) {
      throw new InvalidInputException("column \"" + column.get() + "\" is named as a target and as the weight; it can be only one of"
          + " them");
    }
    return column.map(Set::of).orElse(Set.of());
  }

  /**
   * Returns the weights of the column.
   *
   * @param rows table with the column
   * @return [rows]; null if there is no column
   * @throws InvalidInputException when a weight is missing, no number, or not greater than 0
   */
  public double[] ofColumn(Table rows) {
    if (column.isEmpty()) {
      return null;
    }
    Column weights = rows.column(column.get());
    double[] values = new double[rows.rows()];
    for (int row = 0; row < values.length; row++) {
      boolean isNumber = weights.isNumeric() && !weights.isMissing(row);
      if (!isNumber || !(weights.number(row) >= Dataset.MIN_WEIGHT && weights.number(row) <= Dataset.MAX_WEIGHT)) {
        throw new InvalidInputException("row " + rows.sourceRow(row) + ": the weight in column \"" + weights.name() + "\" is "
            + (weights.isMissing(row) ? "missing" : "\"" + weights.text(row) + "\"") + "; it must be a number from "
            + (float) Dataset.MIN_WEIGHT + " to " + (float) Dataset.MAX_WEIGHT);
      }
      values[row] = weights.number(row);
    }
    return values;
  }

  /**
   * Returns encoded rows with their weights.
   *
   * @param encoded the rows, encoded for the training
   * @param rows the same rows as in the table
   * @param encoding of the columns
   * @param training the rows whose classes are counted for balanced weights
   * @return the rows; unchanged if there are no weights
   * @throws InvalidInputException when a weight cannot be used, or classes have weights but the target has numbers
   */
  public Dataset apply(Dataset encoded, Table rows, TableEncoding encoding, Table training) {
    if (isNone()) {
      return encoded;
    }
    double[] own = ofColumn(rows);
    double[] weights = own;
    if (classes.isPresent()) {
      if (!(encoding.target() instanceof TargetEncoding.Classes target)) {
        throw new InvalidInputException("classes have weights, but the target has numbers; use a column of weights (--weight)");
      }
      ClassNames names = new ClassNames(target.classNames());
      double[] byClass = classes.get().of(target.classNames(), names.labels(training.column(target.name()), training));
      int[] labels = names.labels(rows.column(target.name()), rows);
      weights = new double[labels.length];
      Arrays.setAll(weights, row -> byClass[labels[row]] * (own == null ? 1 : own[row]));
    }
    return encoded.withWeights(weights);
  }
}
