package dev.plumb.train;

import dev.plumb.model.NamedEnum;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Decisions between two classes by a threshold: a row is predicted as the second class if the probability of that class is at least
 * the threshold. Rows count with their weights.
 */
public final class Thresholds {
  /** How the best threshold is chosen. */
  public enum Criterion implements NamedEnum {
    /** The highest F1 score of the second class. */
    F1("F1"),
    /** The highest Youden's J: recall + specificity - 1. */
    YOUDEN("Youden's J");

    private final String label;

    Criterion(String label) {
      this.label = label;
    }

    /** Returns the name for texts: "Youden's J". */
    public String label() {
      return label;
    }
  }

  /**
   * The figures at a threshold; NaN where a divisor is 0.
   *
   * @param precision of the rows predicted as the second class, the proportion that belongs to it
   * @param recall of the rows of the second class, the proportion that is predicted as it
   * @param f1 harmonic mean of precision and recall
   * @param specificity of the rows of the first class, the proportion that is predicted as it
   * @param youden recall + specificity - 1
   * @param predictedRows number of rows predicted as the second class, whatever their weights
   */
  public record Row(double threshold, double precision, double recall, double f1, double specificity, double youden,
      long predictedRows) {}

  private static final int TENTHS = 10;

  private final int[] truth;
  private final double[] probabilities;
  private final double[] weights;
  private final ClassCurve curve;

  /**
   * @param truth [rows] the true class of each row, 0 or 1
   * @param probabilities [rows] of the second class
   * @param weights [rows] of the rows, or null if all are equal
   * @param curve of the second class
   */
  Thresholds(int[] truth, double[] probabilities, double[] weights, ClassCurve curve) {
    this.truth = truth;
    this.probabilities = probabilities;
    this.weights = weights;
    this.curve = curve;
  }

  /** Returns the figures at a threshold. */
  public Row at(double threshold) {
    double[] positives = new double[2];
    double[] total = new double[2];
    long rows = 0;
    for (int row = 0; row < truth.length; row++) {
      double weight = weights == null ? 1 : weights[row];
      total[truth[row]] += weight;
      if (probabilities[row] >= threshold) {
        positives[truth[row]] += weight;
        rows++;
      }
    }
    double recall = positives[1] / total[1];
    double specificity = (total[0] - positives[0]) / total[0];
    return new Row(threshold, positives[1] / (positives[0] + positives[1]), recall,
        2 * positives[1] / (positives[0] + positives[1] + total[1]), specificity, recall + specificity - 1, rows);
  }

  /**
   * Returns the figures at the thresholds 0.1, 0.2, ..., 0.9 and at one more, ascending.
   *
   * @param chosen the additional threshold; empty for none
   */
  public List<Row> table(OptionalDouble chosen) {
    List<Row> rows = new ArrayList<>();
    IntStream.range(1, TENTHS).mapToDouble(i -> (double) i / TENTHS).filter(tenth -> chosen.isEmpty() || tenth != chosen.getAsDouble())
        .mapToObj(this::at).forEach(rows::add);
    chosen.ifPresent(threshold -> rows.add(at(threshold)));
    rows.sort(Comparator.comparingDouble(Row::threshold));
    return rows;
  }

  /**
   * Returns the best of all distinct probabilities of the second class as a threshold; of several equally good ones, the highest.
   * It is chosen on these rows, so that its figures for other rows are worse on average.
   *
   * @return empty when all rows belong to one class
   */
  public OptionalDouble best(Criterion criterion) {
    double[] values = criterion == Criterion.F1 ? curve.f1() : curve.scaledYouden();
    if (Double.isNaN(curve.rocAuc())) {
      return OptionalDouble.empty();
    }
    // The first point predicts no row as the second class; its threshold is not a probability.
    int best = 1;
    for (int i = 2; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return OptionalDouble.of(curve.thresholds()[best]);
  }

  /** Returns the predicted class of each row, 0 or 1, at a threshold. */
  int[] predicted(double threshold) {
    return IntStream.range(0, truth.length).map(row -> probabilities[row] >= threshold ? 1 : 0).toArray();
  }
}
