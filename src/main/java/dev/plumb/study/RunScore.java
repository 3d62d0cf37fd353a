package dev.plumb.study;

import dev.plumb.data.Task;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The scores of a run on some rows, with the 95 % interval of its main metric: accuracy or R².
 *
 * @param rows name of the rows: "validation", "test", "5 folds", "training (seen)"
 * @param values the values of the metrics that are known
 * @param low lower limit of the interval: Wilson's for the accuracy on validation and test rows, Student's over folds; NaN if there
 *     is none
 * @param high upper limit of the interval, likewise
 * @param baseline the main metric of the baseline on the same rows; NaN if it is not known
 */
public record RunScore(String rows, Map<Metric, Double> values, double low, double high, double baseline) {
  /**
   * Returns the scores of a run, those to judge it by first: of the validation rows, the folds and the test rows; if there are
   * none, of the training rows.
   */
  public static List<RunScore> of(RunRecord run) {
    List<RunScore> scores = new ArrayList<>();
    addRows(run, "validation", scores);
    run.estimate().ifPresent(estimate -> scores.add(ofFolds(run, estimate)));
    addRows(run, "test", scores);
    if (scores.isEmpty()) {
      addRows(run, "training", scores);
    }
    return scores;
  }

  private static void addRows(RunRecord run, String rows, List<RunScore> scores) {
    Map<Metric, Double> values = run.scores().get(rows);
    if (values == null) {
      return;
    }
    double low = Double.NaN;
    double high = Double.NaN;
    double accuracy = values.getOrDefault(Metric.ACCURACY, Double.NaN);
    if (run.task() == Task.CLASSIFICATION && !rows.equals("training") && run.count(rows).isPresent() && !Double.isNaN(accuracy)) {
      int count = run.count(rows).getAsInt();
      Proportion correct = new Proportion(Math.round(accuracy * count), count);
      low = correct.low();
      high = correct.high();
    }
    double baseline = run.baselines().getOrDefault(rows, Map.of()).getOrDefault(Metric.main(run.task()), Double.NaN);
    scores.add(new RunScore(rows.equals("training") ? "training (seen)" : rows, values, low, high, baseline));
  }

  private static RunScore ofFolds(RunRecord run, FoldEstimate estimate) {
    Map<Metric, Double> values = new EnumMap<>(Metric.class);
    estimate.scores().forEach((metric, score) -> values.put(metric, score.mean()));
    Metric main = Metric.main(run.task());
    FoldEstimate.Score score = estimate.scores().get(main);
    Summary summary = score == null || estimate.folds() < 2 ? Summary.of(new double[0])
        : Summary.of(estimate.folds(), score.mean(), score.deviation()).within(main.min(), main.max());
    return new RunScore(estimate.folds() + " folds", values, summary.low(), summary.high(), Double.NaN);
  }

  /** Returns the value of a metric; NaN if it is not known. */
  public double value(Metric metric) {
    return values.getOrDefault(metric, Double.NaN);
  }

  /** Returns whether the main metric has an interval. */
  public boolean hasInterval() {
    return !Double.isNaN(low) && !Double.isNaN(high);
  }
}
