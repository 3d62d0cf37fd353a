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
   * Numeric feature: a number x becomes (x - mean) / scale.
   *
   * @param name of the column
   * @param mean of the training rows; 0 when numbers are not standardized
   * @param scale standard deviation of the training rows; 1 when numbers are not standardized
   * @param fill replacement of a missing number, before scaling; empty when missing values are an error
   */
  record Numeric(String name, double mean, double scale, OptionalDouble fill) implements FeatureColumn {
    /**
     * Checks for null.
     *
     * @param name of the column
     * @param mean of the training rows; 0 when numbers are not standardized
     * @param scale standard deviation of the training rows; 1 when numbers are not standardized
     * @param fill replacement of a missing number, before scaling; empty when missing values are an error
     */
    public Numeric {
      Objects.requireNonNull(name);
      Objects.requireNonNull(fill);
    }

    @Override
    public int inputs() {
      return 1;
    }
  }

  /**
   * Categorical feature, one-hot encoded: one input per category, 1 for the value's category and 0 for the others. An unknown
   * value becomes 0 in all inputs.
   *
   * @param name of the column
   * @param categories in ascending order
   * @param fill replacement of a missing value; empty when missing values are an error
   */
  record Categorical(String name, List<String> categories, Optional<String> fill) implements FeatureColumn {
    /**
     * Checks for null and copies the categories.
     *
     * @param name of the column
     * @param categories in ascending order
     * @param fill replacement of a missing value; empty when missing values are an error
     */
    public Categorical {
      Objects.requireNonNull(name);
      Objects.requireNonNull(fill);
      categories = List.copyOf(categories);
    }

    @Override
    public int inputs() {
      return categories.size();
    }
  }
}
