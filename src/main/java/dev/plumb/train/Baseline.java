package dev.plumb.train;

import dev.plumb.data.Column;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.TrainedModel;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A prediction that uses no feature, as a baseline for scores: for classes the majority class of the training rows, with the
 * proportions of the classes as probabilities; for numbers the mean of the training rows. These are scikit-learn's
 * {@code DummyClassifier(strategy="prior")} and {@code DummyRegressor(strategy="mean")}. A model file stores it.
 */
final class Baseline {
  private static final String PROPORTIONS_KEY = "baseline.proportions";
  private static final String MEANS_KEY = "baseline.means";
  private static final String SEPARATOR = " ";

  /** Proportion of each class, or mean of each target. */
  private final double[] values;

  private Baseline(double[] values) {
    this.values = values;
  }

  /** Returns entries of a model file with the baseline of its training rows. */
  static SortedMap<String, String> added(SortedMap<String, String> texts, DataView view) {
    double[] values = view.loss().isClassification() ? proportions(view) : means(view);
    SortedMap<String, String> all = new TreeMap<>(texts);
    all.put(view.loss().isClassification() ? PROPORTIONS_KEY : MEANS_KEY,
        Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(SEPARATOR)));
    return all;
  }

  private static double[] proportions(DataView view) {
    double[] proportions = new double[view.encoding().outputs()];
    int[] labels = Metric.truth(view.training(), proportions.length);
    for (int label : labels) {
      proportions[label]++;
    }
    return Arrays.stream(proportions).map(count -> count / labels.length).toArray();
  }

  private static double[] means(DataView view) {
    Table rows = view.trainingRows();
    return view.encoding().target().names().stream().map(rows::column).mapToDouble(column -> mean(column, rows.rows())).toArray();
  }

  private static double mean(Column column, int rows) {
    return IntStream.range(0, rows).mapToDouble(column::number).sum() / rows;
  }

  /**
   * Returns the baseline of a model; empty if its file has none.
   *
   * @throws InvalidInputException when the entry of the file is not that of the model's targets
   */
  static Optional<Baseline> of(TrainedModel model) {
    String key = model.loss().isClassification() ? PROPORTIONS_KEY : MEANS_KEY;
    String text = model.manifest().get(key);
    if (text == null) {
      return Optional.empty();
    }
    try {
      double[] values = Arrays.stream(text.split(SEPARATOR)).mapToDouble(Double::parseDouble).toArray();
      if (values.length == model.resultColumns() && Arrays.stream(values).allMatch(Double::isFinite)) {
        return Optional.of(new Baseline(values));
      }
    } catch (NumberFormatException e) {
      // The message below covers it.
    }
    throw new InvalidInputException("model: \"" + key + "\" must be " + model.resultColumns() + " finite numbers");
  }

  /** Returns the index of the majority class; the first of several. */
  int majorityClass() {
    int majority = 0;
    for (int c = 1; c < values.length; c++) {
      majority = values[c] > values[majority] ? c : majority;
    }
    return majority;
  }

  /** Returns the errors of the mean of the training rows for one target. */
  RegressionScores.Errors errors(int target, double[] truth, double[] weights) {
    double[] predicted = new double[truth.length];
    Arrays.fill(predicted, values[target]);
    return RegressionScores.Errors.of(truth, predicted, weights);
  }

  /**
   * Returns a metric of the majority class and the proportions of the classes for the rows of some predictions, by closed forms.
   *
   * @return NaN where the metric is undefined, and for the loss
   */
  double value(Metric metric, ClassMetrics rows) {
    double[] actual = rows.actual();
    double total = Arrays.stream(actual).sum();
    double majority = actual[majorityClass()];
    long occurring = Arrays.stream(actual).filter(weight -> weight > 0).count();
    return switch (metric) {
      case ACCURACY -> majority / total;
      case BALANCED_ACCURACY -> majority > 0 ? 1.0 / occurring : 0;
      case MACRO_F1 -> majority > 0 ? 2 * majority / (majority + total) / occurring : 0;
      case LOG_LOSS -> IntStream.range(0, actual.length).mapToDouble(c -> actual[c] * ClassMetrics.logLoss(values[c])).sum() / total;
      // All rows are tied.
      case ROC_AUC -> occurring < actual.length ? Double.NaN : 0.5;
      case PR_AUC -> actual.length == 2 ? actual[1] / total : 1.0 / actual.length;
      case MATTHEWS -> 0;
      case LOSS, R2, MAE, RMSE -> Double.NaN;
    };
  }

  /** Returns the {@linkplain ClassJudgment#brier Brier score} of the proportions of the classes for the rows of some predictions. */
  double brier(ClassMetrics rows) {
    double[] actual = rows.actual();
    if (actual.length == 2) {
      return (actual[0] * values[1] * values[1] + actual[1] * (1 - values[1]) * (1 - values[1])) / (actual[0] + actual[1]);
    }
    double squares = Arrays.stream(values).map(value -> value * value).sum();
    return IntStream.range(0, actual.length).mapToDouble(c -> actual[c] * (squares - 2 * values[c] + 1)).sum()
        / Arrays.stream(actual).sum();
  }

  /** Returns the expected calibration error: all rows are in one bin. */
  double calibrationError(ClassMetrics rows) {
    int c = values.length == 2 ? 1 : majorityClass();
    return Math.abs(values[c] - rows.actual()[c] / Arrays.stream(rows.actual()).sum());
  }

  /** Returns the {@linkplain ClassJudgment#topK top-k accuracy} of the proportions of the classes, the majority class first. */
  double topAccuracy(int k, ClassMetrics rows) {
    double[] actual = rows.actual();
    return IntStream.range(0, values.length).boxed()
        .sorted(Comparator.comparingDouble((Integer c) -> -values[c]).thenComparing(c -> c != majorityClass())
            .thenComparing(Comparator.reverseOrder())).limit(k)
        .mapToDouble(c -> actual[c]).sum() / Arrays.stream(actual).sum();
  }
}
