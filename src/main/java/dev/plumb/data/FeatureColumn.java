package dev.plumb.data;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/** Encoding of one feature column as inputs of a network. */
public sealed interface FeatureColumn {
  /**
   * Returns the name of the column.
   *
   * @return as in the table
   */
  String name();

  /**
   * Returns the number of network inputs of the column.
   *
   * @return 1 for numbers, the number of categories for text
   */
  int inputs();

  /**
   * Returns whether missing values have an input of their own.
   *
   * @return true when the training rows had missing values, and the model accepts them
   */
  boolean indicator();

  /**
   * Numeric feature: a number x becomes (x - mean) / scale.
   *
   * @param name of the column
   * @param mean of the training rows; 0 when numbers are not standardized
   * @param scale standard deviation of the training rows; 1 when numbers are not standardized
   * @param fill replacement of a missing number, before scaling; empty when missing values are an error
   * @param indicator whether a second input is 1 for a missing number and 0 for any other
   */
  record Numeric(String name, double mean, double scale, OptionalDouble fill, boolean indicator) implements FeatureColumn {
    /**
     * Checks for null.
     *
     * @param name of the column
     * @param mean of the training rows; 0 when numbers are not standardized
     * @param scale standard deviation of the training rows; 1 when numbers are not standardized
     * @param fill replacement of a missing number, before scaling; empty when missing values are an error
     * @param indicator whether a second input is 1 for a missing number and 0 for any other
     * @throws IllegalArgumentException when there is an indicator but no replacement
     */
    public Numeric {
      Objects.requireNonNull(name);
      if (indicator && fill.isEmpty()) {
        throw new IllegalArgumentException("column " + name + " has an indicator of missing numbers, but none to fill in");
      }
    }

    /**
     * Returns this feature with another scale.
     *
     * @param newScale that numbers are divided by
     * @return the changed feature
     */
    public Numeric withScale(double newScale) {
      return new Numeric(name, mean, newScale, fill, indicator);
    }

    @Override
    public int inputs() {
      return indicator ? 2 : 1;
    }
  }

  /**
   * Categorical feature, one-hot encoded: one input per category, 1 for the value's category and 0 for the others. An unknown
   * value becomes 0 in all inputs.
   *
   * @param name of the column
   * @param categories in ascending order
   * @param fill replacement of a missing value; empty when missing values are an error or have an input
   * @param indicator whether missing values are a category of their own, whose input follows the others
   */
  record Categorical(String name, List<String> categories, Optional<String> fill, boolean indicator) implements FeatureColumn {
    /**
     * Checks for null and copies the categories.
     *
     * @param name of the column
     * @param categories in ascending order
     * @param fill replacement of a missing value; empty when missing values are an error or have an input
     * @param indicator whether missing values are a category of their own, whose input follows the others
     * @throws IllegalArgumentException when there is both a replacement and an indicator
     */
    public Categorical {
      Objects.requireNonNull(name);
      categories = List.copyOf(categories);
      if (indicator && fill.isPresent()) {
        throw new IllegalArgumentException("missing values of column " + name + " are both filled in and a category");
      }
    }

    @Override
    public int inputs() {
      return categories.size() + (indicator ? 1 : 0);
    }
  }
}
