package dev.plumb.train;

import java.util.List;

/**
 * Permutation importance of the columns of a table for a model: how much worse the model's score is when the values of one column
 * are permuted among the rows. For an error such as log loss the sign is reversed, so that an importance is positive whenever the
 * model needs the column. It is 0 for a column that the model ignores, and may be a little below 0 by chance.
 *
 * <p>Definition and random numbers are those of {@code sklearn.inspection.permutation_importance}: the same predictions and the
 * same seed as {@code random_state} give the same figures. See Breiman, Random Forests, Machine Learning 45, 2001.
 *
 * @param metric the metric of the scores
 * @param score of the rows as they are
 * @param rows number of rows
 * @param repeats number of permutations of each column
 * @param seed of the permutations
 * @param columns in descending order of their mean
 */
public record Importance(Metric metric, double score, int rows, int repeats, long seed, List<Column> columns) {
  /**
   * The importance of one column of the table. A text column and an input that marks missing values are permuted as one column.
   *
   * @param name of the column
   * @param values one per repeat
   * @param mean of the values
   * @param deviation standard deviation of the values, with the number of repeats as divisor, as scikit-learn's
   *     {@code importances_std}
   * @param low lower limit of the 95 % confidence interval of the mean over all permutations of these rows, by Student's t
   *     distribution; NaN for one repeat. The interval does not contain the uncertainty due to the choice of the rows
   * @param high upper limit of the interval; NaN for one repeat
   */
  public record Column(String name, List<Double> values, double mean, double deviation, double low, double high) {
    public Column {
      values = List.copyOf(values);
    }
  }

  public Importance {
    columns = List.copyOf(columns);
  }
}
