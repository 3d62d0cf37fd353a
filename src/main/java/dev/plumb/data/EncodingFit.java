package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Learns an encoding from the training rows. */
final class EncodingFit {
  /** A column of more different words is a text or a name of each row, from which one-hot inputs learn nothing. */
  private static final int MAX_CATEGORIES = 1000;
  /** So many classes may have a single row each, as in a table to try things out. */
  private static final int MAX_SINGLE_CLASSES = 10;
  /** Relative to the mean: what rounding leaves of the deviation of equal numbers, with some room. */
  private static final double CONSTANT = 1e-13;

  private final Table training;
  private final EncodingOptions options;

  /** @param options resolved */
  EncodingFit(Table training, EncodingOptions options) {
    this.training = training;
    this.options = options;
  }

  TableEncoding encoding() {
    if (training.rows() == 0) {
      throw new InvalidInputException("there is no row to train on");
    }
    List<FeatureColumn> features = options.features().stream().map(training::column)
        .map(column -> isCategorical(column) ? categorical(column) : numeric(column)).toList();
    return new TableEncoding(features, target(), Optional.empty(), training.header());
  }

  private boolean isCategorical(Column column) {
    return !column.isNumeric() || options.categorical().contains(column.name());
  }

  private FeatureColumn numeric(Column column) {
    double[] moments = moments(column);
    OptionalDouble fill = options.missing() == Missing.MEAN ? OptionalDouble.of(moments[0]) : OptionalDouble.empty();
    return options.standardize()
        ? new FeatureColumn.Numeric(column.name(), moments[0], moments[1], fill)
        : new FeatureColumn.Numeric(column.name(), 0, 1, fill);
  }

  private FeatureColumn categorical(Column column) {
    List<String> categories = ClassNames.of(column).names();
    if (categories.isEmpty()) {
      throw empty(column);
    }
    if (categories.size() > MAX_CATEGORIES) {
      throw new InvalidInputException("column \"" + column.name() + "\" has " + categories.size() + " different words in "
          + training.rows() + " rows; " + MAX_CATEGORIES + " categories are the most that are learnt from: name the features"
          + " without it");
    }
    Optional<String> fill = options.missing() == Missing.MEAN ? Optional.of(mostFrequent(column, categories)) : Optional.empty();
    return new FeatureColumn.Categorical(column.name(), categories, fill);
  }

  private TargetEncoding target() {
    if (options.task().orElseThrow() == Task.CLASSIFICATION) {
      Column column = training.column(options.targets().get(0));
      List<String> names = ClassNames.of(column).names();
      if (names.size() < 2) {
        throw new InvalidInputException("column \"" + column.name() + "\" has "
            + (names.isEmpty() ? "no value" : "the one class \"" + names.get(0) + "\"")
            + "; two classes are the least to tell apart");
      }
      requireRepeated(column, names);
      return new TargetEncoding.Classes(column.name(), names);
    }
    int outputs = options.targets().size();
    double[] mean = new double[outputs];
    double[] scale = new double[outputs];
    for (int i = 0; i < outputs; i++) {
      double[] moments = moments(training.column(options.targets().get(i)));
      mean[i] = options.standardize() ? moments[0] : 0;
      scale[i] = options.standardize() ? moments[1] : 1;
    }
    return new TargetEncoding.Numbers(options.targets(), mean, scale);
  }

  /** Refuses a target that is probably a text, an amount or an id of each row: nothing could be learned from such classes. */
  private void requireRepeated(Column column, List<String> names) {
    int there = (int) IntStream.range(0, column.rows()).filter(row -> !column.isMissing(row)).count();
    if (names.size() > MAX_SINGLE_CLASSES && 2L * names.size() > there) {
      throw new InvalidInputException("column \"" + column.name() + "\" has " + names.size() + " different values in " + there
          + " rows to train on (\"" + names.get(0) + "\", \"" + names.get(1) + "\", ...); classes need two rows each on average: "
          + (column.isNumeric() ? "use regression (--task regression), or choose another target"
              : "choose another target (--target), or write its values as plain numbers"));
    }
  }

  /** Mean and standard deviation of what is there, in two passes; the deviation of a constant column is 1. */
  private static double[] moments(Column column) {
    double sum = 0;
    int count = 0;
    double largest = 0;
    for (int row = 0; row < column.rows(); row++) {
      double number = column.number(row);
      if (!Double.isNaN(number)) {
        sum += number;
        largest = Math.max(largest, Math.abs(number));
        count++;
      }
    }
    if (count == 0) {
      throw empty(column);
    }
    double mean = sum / count;
    double squares = 0;
    for (int row = 0; row < column.rows(); row++) {
      double number = column.number(row);
      if (!Double.isNaN(number)) {
        squares += (number - mean) * (number - mean);
      }
    }
    double deviation = Math.sqrt(squares / count);
    if (!Double.isFinite(mean) || !Double.isFinite(deviation)) {
      throw new InvalidInputException("column \"" + column.name() + "\" has numbers as large as " + largest
          + ", whose mean and deviation are beyond the range of numbers");
    }
    return new double[] {mean, deviation > CONSTANT * largest ? deviation : 1};
  }

  private static String mostFrequent(Column column, List<String> categories) {
    Map<String, Integer> counts = new HashMap<>();
    for (int row = 0; row < column.rows(); row++) {
      if (!column.isMissing(row)) {
        counts.merge(column.text(row), 1, Integer::sum);
      }
    }
    String most = categories.get(0);
    for (String category : categories) {
      most = counts.get(category) > counts.get(most) ? category : most;
    }
    return most;
  }

  private static InvalidInputException empty(Column column) {
    return new InvalidInputException("column \"" + column.name() + "\" has no value in any row to train on;"
        + " name the features without it");
  }
}
