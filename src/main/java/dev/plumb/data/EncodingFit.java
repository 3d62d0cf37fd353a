package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Fits an encoding to the training rows. */
final class EncodingFit {
  /** Limit of categories: more distinct values are free text or ids, from which one-hot inputs learn nothing. */
  private static final int MAX_CATEGORIES = 1000;
  /** Number of classes up to which each may have a single row, as in a toy table. */
  private static final int MAX_SINGLE_CLASSES = 10;
  /** Standard deviation, relative to the largest magnitude, below which a column is constant up to rounding. */
  private static final double MAX_CONSTANT_DEVIATION = 1e-13;

  private final Table training;
  private final EncodingOptions options;

  /**
   * Creates a fit.
   *
   * @param options resolved
   */
  EncodingFit(Table training, EncodingOptions options) {
    this.training = training;
    this.options = options;
  }

  TableEncoding encoding() {
    if (training.rows() == 0) {
      throw new InvalidInputException("there are no rows to train on");
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
    OptionalDouble fill = switch (options.missing()) {
      case REFUSE, DROP -> OptionalDouble.empty();
      case MEAN, INDICATOR -> OptionalDouble.of(moments[0]);
      case MEDIAN -> OptionalDouble.of(median(column));
    };
    boolean indicator = options.missing() == Missing.INDICATOR && hasMissing(column);
    return options.standardize()
        ? new FeatureColumn.Numeric(column.name(), moments[0], moments[1], fill, indicator)
        : new FeatureColumn.Numeric(column.name(), 0, 1, fill, indicator);
  }

  private FeatureColumn categorical(Column column) {
    List<String> categories = ClassNames.of(column).names();
    if (categories.isEmpty()) {
      throw empty(column);
    }
    if (categories.size() > MAX_CATEGORIES) {
      throw new InvalidInputException("column \"" + column.name() + "\" has " + categories.size() + " distinct values in "
          + training.rows() + " rows; the maximum is " + MAX_CATEGORIES + " categories: leave the column out (--exclude)");
    }
    boolean indicator = options.missing().fills() && hasMissing(column);
    Optional<String> fill = options.missing().fills() && !indicator ? Optional.of(mostFrequent(column, categories)) : Optional.empty();
    return new FeatureColumn.Categorical(column.name(), categories, fill, indicator);
  }

  private static boolean hasMissing(Column column) {
    return IntStream.range(0, column.rows()).anyMatch(column::isMissing);
  }

  private TargetEncoding target() {
    if (options.task().orElseThrow() == Task.CLASSIFICATION) {
      Column column = training.column(options.targets().get(0));
      List<String> names = ClassNames.of(column).names();
      if (names.size() < 2) {
        throw new InvalidInputException("column \"" + column.name() + "\" has "
            + (names.isEmpty() ? "no value" : "only the class \"" + names.get(0) + "\"")
            + "; classification needs at least two classes");
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

  /** Refuses classes that are probably free text, amounts or ids, from which nothing can be learned. */
  private void requireRepeated(Column column, List<String> names) {
    int present = (int) IntStream.range(0, column.rows()).filter(row -> !column.isMissing(row)).count();
    if (names.size() > MAX_SINGLE_CLASSES && 2L * names.size() > present) {
      throw new InvalidInputException("column \"" + column.name() + "\" has " + names.size() + " distinct values in " + present
          + " training rows (\"" + names.get(0) + "\", \"" + names.get(1) + "\", ...); classes need two rows each on average: "
          + (column.isNumeric() ? "use --task regression or choose another target (--target)"
              : "choose another target (--target), or write its values as plain numbers"));
    }
  }

  /** Returns mean and standard deviation of the present values, in two passes; the deviation of a constant column is 1. */
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
      throw new InvalidInputException("column \"" + column.name() + "\" has values as large as " + largest
          + ", whose mean or standard deviation overflows; rescale the column");
    }
    return new double[] {mean, deviation > MAX_CONSTANT_DEVIATION * largest ? deviation : 1};
  }

  /** Returns the median of the present values, of which there is at least one. */
  private static double median(Column column) {
    double[] sorted = IntStream.range(0, column.rows()).mapToDouble(column::number).filter(number -> !Double.isNaN(number)).sorted()
        .toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
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
    return new InvalidInputException("column \"" + column.name() + "\" has no value in any training row; leave it out"
        + " (--exclude)");
  }
}
