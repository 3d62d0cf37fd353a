package dev.plumb.train;

import dev.plumb.data.RowWeights;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The scores of a training run as a table: one row for the training, validation and test rows each, as far as they are scored,
 * and below it the baseline on the same rows.
 *
 * @param metrics the columns
 * @param notes sentences without full stop: the units of the columns, and the baseline
 */
public record ScoreTable(List<Metric> metrics, List<Row> rows, List<String> notes) {
  /** Name of the row of a baseline. */
  public static final String BASELINE = "baseline";

  /**
   * A row of the table.
   *
   * @param values one per metric; NaN where it is undefined, and for the loss of a baseline
   * @param deviations standard deviation of each value; empty if there is none
   */
  public record Row(String name, boolean isBaseline, List<Double> values, List<Double> deviations) {
    public Row(String name, boolean isBaseline, List<Double> values) {
      this(name, isBaseline, values, List.of());
    }
  }

  public static ScoreTable of(TrainingResult result) {
    DataView view = result.prepared().view();
    List<Metric> metrics = metrics(result.prepared());
    List<Row> rows = new ArrayList<>();
    for (Map.Entry<String, Scores> entry : result.scores().entrySet()) {
      Scores scores = entry.getValue();
      rows.add(new Row(name(entry.getKey()), false, metrics.stream().map(scores::value).toList()));
      rows.add(new Row(BASELINE, true, metrics.stream().map(scores::baseline).toList()));
    }
    List<String> notes = new ArrayList<>();
    if (!rows.isEmpty()) {
      result.estimate().ifPresent(estimate -> {
        List<FoldEstimate.Score> scores = metrics.stream().map(metric ->
            estimate.scores().getOrDefault(metric, new FoldEstimate.Score(Double.NaN, Double.NaN))).toList();
        rows.add(new Row(estimate.folds() + " folds (estimate)", false, scores.stream().map(FoldEstimate.Score::mean).toList(),
            scores.stream().map(FoldEstimate.Score::deviation).toList()));
        notes.add("folds: mean and standard deviation of " + estimate.folds() + "-fold cross-validation, an estimate for new rows");
      });
      notes.add(units(result.prepared().config(), view.encoding().target()));
      notes.add(BASELINE + ": " + baseline(result.scores().values().iterator().next()));
    }
    return new ScoreTable(metrics, rows, notes);
  }

  /** Returns the metrics that are reported after a training. */
  static List<Metric> metrics(PreparedData prepared) {
    if (prepared.view().encoding().task() == Task.REGRESSION) {
      return List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE);
    }
    return prepared.metric() == Metric.ACCURACY ? List.of(Metric.LOSS, Metric.ACCURACY)
        : List.of(Metric.LOSS, Metric.ACCURACY, prepared.metric());
  }

  /** Returns the name of rows in a table of scores: "training (seen in training)", "validation". */
  public static String name(String rows) {
    return rows.equals("training") ? "training (seen in training)" : rows;
  }

  /** Returns what a baseline predicts. */
  public static String baseline(Scores scores) {
    return scores instanceof ClassificationScores classes
        ? "always the majority class of the training rows" + classes.majorityClass().map(name -> ", \"" + name + "\"").orElse("")
        : "always the mean of the training rows";
  }

  /**
   * Returns the names and units of the columns of errors.
   *
   * @param target as encoded for the training
   */
  public static String units(TrainConfig config, TargetEncoding target) {
    return "loss: " + loss(config, target)
        + (target instanceof TargetEncoding.Numbers ? "; MAE and RMSE: in the unit of the target" : "");
  }

  /** Returns the name and the unit of a training's loss: "cross entropy in nats". */
  public static String loss(TrainConfig config, TargetEncoding target) {
    boolean classes = target instanceof TargetEncoding.Classes;
    String targets = " of the " + (config.columns().standardize() ? "standardized target" : "target")
        + (target.names().size() > 1 ? "s" : "");
    return switch (config.loss(classes ? Task.CLASSIFICATION : Task.REGRESSION)) {
      case MSE -> "mean squared error" + targets;
      case MAE -> "mean absolute error" + targets;
      case HUBER -> "Huber loss" + targets;
      case CROSS_ENTROPY -> "cross entropy in nats";
      case BINARY_CROSS_ENTROPY -> "binary cross entropy in nats";
    } + (config.weights().equals(RowWeights.NONE) ? "" : ", weighted");
  }
}
