package dev.plumb.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Judgment of the predicted probabilities of classes on labeled rows, beyond single metrics: ROC and precision-recall curves,
 * reliability diagram, Brier score, top-k accuracy, and thresholds between two classes. Definitions are those of scikit-learn; rows
 * count with their weights.
 */
public final class ClassJudgment {
  private final int classes;
  private final OneVersusRest ranking;
  private final ProbabilityTally tally;
  private final Optional<Thresholds> thresholds;
  private final List<Figure> figures;

  /**
   * Collects the figures.
   *
   * @param tally of all rows
   * @param baseline of the model, if it is known
   */
  ClassJudgment(ClassMetrics metrics, ProbabilityTally tally, Optional<Baseline> baseline) {
    classes = metrics.actual().length;
    ranking = metrics.ranking();
    this.tally = tally;
    thresholds = tally.second()
        .map(probabilities -> new Thresholds(metrics.truth(), probabilities, metrics.weights(), ranking.curves().get(0)));
    List<Figure> all = new ArrayList<>();
    all.add(new Figure("Brier score", brier(), baseline.map(constant -> constant.brier(metrics)).orElse(Double.NaN)));
    all.add(new Figure("expected calibration error", reliability().expectedCalibrationError(),
        baseline.map(constant -> constant.calibrationError(metrics)).orElse(Double.NaN)));
    topK().forEach((k, accuracy) -> all.add(new Figure("top-" + k + " accuracy", accuracy,
        baseline.map(constant -> constant.topAccuracy(k, metrics)).orElse(Double.NaN))));
    figures = List.copyOf(all);
  }

  /**
   * Judges probabilities.
   *
   * @param probabilities [rows x classes] row-major
   */
  static ClassJudgment of(ClassMetrics metrics, double[] probabilities, Optional<Baseline> baseline) {
    int classes = metrics.actual().length;
    ProbabilityTally tally = new ProbabilityTally(classes, metrics.truth().length);
    for (int row = 0; row < metrics.truth().length; row++) {
      int first = row * classes;
      tally.add(row, metrics.truth()[row], metrics.predicted()[row], c -> probabilities[first + c], metrics.weight(row));
    }
    return new ClassJudgment(metrics, tally, baseline);
  }

  /** Returns the ROC and precision-recall curves: that of the second of two classes, otherwise of each class against the rest. */
  public List<ClassCurve> curves() {
    return ranking.curves();
  }

  /** Returns the reliability diagram, with the expected calibration error. */
  public Reliability reliability() {
    return tally.reliability();
  }

  /**
   * Returns the Brier score: for two classes the mean of (p - y)², where p is the probability of the second class and y is 1 for its
   * rows and 0 for others, from 0 to 1; for several classes the mean over the rows of the sum of (p - y)² over all classes, from 0
   * to 2.
   */
  public double brier() {
    return tally.brier();
  }

  /**
   * Returns the proportion of rows whose true class is among the k most probable ones, by k: 2, 3 and 5, as far as k is below the
   * number of classes. Of equally probable classes, the later one counts as more probable, as in scikit-learn.
   */
  public SortedMap<Integer, Double> topK() {
    SortedMap<Integer, Double> accuracies = new TreeMap<>();
    int[] top = ProbabilityTally.top(classes);
    IntStream.range(0, top.length).forEach(i -> accuracies.put(top[i], tally.topAccuracy(i)));
    return accuracies;
  }

  /** Returns the decisions by a threshold; empty unless there are two classes. */
  public Optional<Thresholds> thresholds() {
    return thresholds;
  }

  /** Returns the figures for a table: Brier score, expected calibration error, top-k accuracies. */
  public List<Figure> figures() {
    return figures;
  }
}
