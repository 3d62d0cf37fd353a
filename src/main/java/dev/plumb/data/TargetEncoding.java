package dev.plumb.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Encoding of target columns for training, and meaning of the network's outputs. */
public sealed interface TargetEncoding {
  /**
   * Returns the number of outputs: one per class, or one per column.
   *
   * @return at least 1
   */
  int outputs();

  /**
   * Returns the names of the target columns.
   *
   * @return as in the table
   */
  List<String> names();

  /**
   * One column of classes, with one output each.
   *
   * @param name of the column
   * @param classNames in ascending order, numbers by value; a number is spelled as in the file: 3, not 3.0
   */
  record Classes(String name, List<String> classNames) implements TargetEncoding {
    /**
     * Checks for null and copies the names.
     *
     * @param name of the column
     * @param classNames in ascending order, numbers by value; a number is spelled as in the file: 3, not 3.0
     */
    public Classes {
      Objects.requireNonNull(name);
      classNames = List.copyOf(classNames);
    }

    @Override
    public int outputs() {
      return classNames.size();
    }

    @Override
    public List<String> names() {
      return List.of(name);
    }
  }

  /**
   * Columns of numbers. The network is trained on (y - mean) / scale, and its outputs are converted back.
   *
   * @param names of the columns
   * @param mean of each column in the training rows; 0 when numbers are not standardized
   * @param scale standard deviation of each column in the training rows; 1 when numbers are not standardized
   */
  record Numbers(List<String> names, double[] mean, double[] scale) implements TargetEncoding {
    /**
     * Copies names and arrays.
     *
     * @param names of the columns
     * @param mean of each column in the training rows; 0 when numbers are not standardized
     * @param scale standard deviation of each column in the training rows; 1 when numbers are not standardized
     * @throws IllegalArgumentException when their lengths differ
     */
    public Numbers {
      names = List.copyOf(names);
      mean = mean.clone();
      scale = scale.clone();
      if (mean.length != names.size() || scale.length != names.size()) {
        throw new IllegalArgumentException(
            names.size() + " targets with " + mean.length + " means and " + scale.length + " scales");
      }
    }

    /**
     * Returns the mean of each column.
     *
     * @return a copy
     */
    @Override
    public double[] mean() {
      return mean.clone();
    }

    /**
     * Returns the scale of each column.
     *
     * @return a copy
     */
    @Override
    public double[] scale() {
      return scale.clone();
    }

    @Override
    public int outputs() {
      return names.size();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Numbers that && names.equals(that.names) && Arrays.equals(mean, that.mean)
          && Arrays.equals(scale, that.scale);
    }

    @Override
    public int hashCode() {
      return Objects.hash(names, Arrays.hashCode(mean), Arrays.hashCode(scale));
    }
  }
}
