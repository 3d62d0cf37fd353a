package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.data.Column;
import dev.plumb.data.Table;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The result of a cross-validation.
 *
 * @param spec its specification, with all columns and the task filled in
 * @param table the rows that were divided into folds
 * @param droppedRows number of rows that were dropped because a value is missing
 * @param target the target columns and, for classes, the names of all classes in the table, which each fold has
 * @param results sorted by repeat, fold and seed
 */
public record CrossValidationResult(CrossValidationSpec spec, Table table, int droppedRows, TargetEncoding target, DeviceInfo device,
    List<FoldResult> results) {
  public CrossValidationResult {
    results = List.copyOf(results);
  }

  public Task task() {
    return spec.config().columns().task().orElseThrow();
  }

  /** Returns the number of rows that were divided into folds. */
  public int rows() {
    return table.rows();
  }

  /** Returns the number of folds of each repeat. */
  public int folds() {
    return spec.folds().folds();
  }

  public int repeats() {
    return spec.folds().repeats();
  }

  public int seeds() {
    return spec.seeds();
  }

  /** Returns the names of the target columns. */
  public List<String> targetNames() {
    return target.names();
  }

  /** Returns whether the folds are stratified by class. */
  public boolean isStratified() {
    return task() == Task.CLASSIFICATION && spec.folds().group().isEmpty() && spec.folds().time().isEmpty();
  }

  /** Returns the metrics of the task. */
  public List<Metric> metrics() {
    return Arrays.stream(Metric.values()).filter(metric -> metric.appliesTo(task())).toList();
  }

  /** Returns the summary of a metric over all scores that are defined; its interval is within the metric's range. */
  public Summary summary(Metric metric) {
    return Summary.of(results.stream().mapToDouble(result -> result.score(metric)).toArray()).within(metric.min(), metric.max());
  }

  /**
   * Returns the mean over all scored networks of a metric's baseline; see {@link Scores#baseline}.
   *
   * @return NaN for the loss, and if it is never defined
   */
  public double baseline(Metric metric) {
    return results.stream().flatMap(run -> run.scores().stream()).mapToDouble(scores -> scores.baseline(metric))
        .filter(value -> !Double.isNaN(value)).average().orElse(Double.NaN);
  }

  /** Returns the names and units of the loss and, for numbers, of the errors. */
  public String units() {
    return ScoreTable.units(spec.config(), target);
  }

  /** Returns what the baseline predicts. */
  public String baselineName() {
    return task() == Task.CLASSIFICATION ? "always the majority class of each fold's training rows"
        : "always the mean of each fold's training rows";
  }

  /** Returns the number of networks that diverged. */
  public int diverged() {
    return (int) results.stream().filter(FoldResult::isDiverged).count();
  }

  /** Returns the names of all classes; empty if numbers are predicted. */
  public List<String> classNames() {
    return target instanceof TargetEncoding.Classes classes ? classes.classNames() : List.of();
  }

  /** Returns the counts of the predicted classes of all test rows, as often as they were predicted. */
  public ConfusionMatrix confusion() {
    int[] labels = spec.config().columns().labels(table);
    IntStream.Builder truth = IntStream.builder();
    IntStream.Builder predicted = IntStream.builder();
    forEachPrediction((row, predictions, index) -> {
      truth.add(labels[row]);
      predicted.add(predictions.classIndex(index));
    });
    return ConfusionMatrix.of(classNames().size(), truth.build().toArray(), predicted.build().toArray());
  }

  /**
   * Returns the true values of a target for all test rows, as often as they were predicted.
   *
   * @param index of the target
   */
  public double[] truth(int index) {
    Column column = table.column(target.names().get(index));
    DoubleStream.Builder truth = DoubleStream.builder();
    forEachPrediction((row, predictions, i) -> truth.add(column.number(row)));
    return truth.build().toArray();
  }

  /** Returns the predicted values of a target, in the order of {@link #truth}. */
  public double[] predicted(int index) {
    DoubleStream.Builder predicted = DoubleStream.builder();
    forEachPrediction((row, predictions, i) -> predicted.add(predictions.number(i, index)));
    return predicted.build().toArray();
  }

  private interface Prediction {
    /** @param index of the row in the predictions */
    void accept(int row, Predictions predictions, int index);
  }

  /** Passes on all predictions that are finite. */
  private void forEachPrediction(Prediction consumer) {
    for (FoldResult result : results) {
      result.predictions().ifPresent(predictions -> {
        for (int i = 0; i < predictions.rows(); i++) {
          if (predictions.isFinite(i)) {
            consumer.accept(result.fold().test()[i], predictions, i);
          }
        }
      });
    }
  }
}
