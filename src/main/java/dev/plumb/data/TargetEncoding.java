package dev.plumb.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** How target columns become what a network is trained on, and what its outputs mean. */
public sealed interface TargetEncoding {
  /** How many outputs a network has for it: one a class, or one a column. */
  int outputs();

  /** The target columns. */
  List<String> names();

  /**
   * One column of classes: the network has an output for each.
   *
   * @param classNames in ascending order, of numbers by their value; a number is written as in the file: 3, not 3.0
   */
  record Classes(String name, List<String> classNames) implements TargetEncoding {
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

  /** Columns of numbers: a network is trained on (y - mean) / scale, and its outputs are turned back. */
  record Numbers(List<String> names, double[] mean, double[] scale) implements TargetEncoding {
    public Numbers {
      names = List.copyOf(names);
      mean = mean.clone();
      scale = scale.clone();
      if (mean.length != names.size() || scale.length != names.size()) {
        throw new IllegalArgumentException(
            names.size() + " targets with " + mean.length + " means and " + scale.length + " scales");
      }
    }

    @Override
    public double[] mean() {
      return mean.clone();
    }

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
