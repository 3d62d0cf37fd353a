package dev.plumb.train;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The receiver operating characteristic (ROC) curve and the precision-recall curve of one class against the rest.
 *
 * <p>Point i counts the rows whose probability of the class is at least the threshold i as predicted to be of the class; the first
 * point, at the threshold infinity, counts none. Thresholds are distinct probabilities in descending order. The points are those of
 * scikit-learn's {@code roc_curve} and {@code precision_recall_curve} except for the points in the middle of a run in which only
 * rows of other classes are added: they are on the straight line between their neighbors. Rows count with their weights, and rows of
 * weight 0 do not count.
 */
public final class ClassCurve {
  private final int classIndex;
  private final double rocAuc;
  private final double averagePrecision;
  private final double positives;
  private final double negatives;
  private final double[] thresholds;
  private final double[] truePositives;
  private final double[] falsePositives;

  private ClassCurve(ClassCurve from, int[] points) {
    classIndex = from.classIndex;
    rocAuc = from.rocAuc;
    averagePrecision = from.averagePrecision;
    positives = from.positives;
    negatives = from.negatives;
    thresholds = Arrays.stream(points).mapToDouble(i -> from.thresholds[i]).toArray();
    truePositives = Arrays.stream(points).mapToDouble(i -> from.truePositives[i]).toArray();
    falsePositives = Arrays.stream(points).mapToDouble(i -> from.falsePositives[i]).toArray();
  }

  private ClassCurve(int classIndex, double rocAuc, double averagePrecision, Builder points) {
    this.classIndex = classIndex;
    this.rocAuc = rocAuc;
    this.averagePrecision = averagePrecision;
    thresholds = Arrays.copyOf(points.thresholds, points.count);
    truePositives = Arrays.copyOf(points.truePositives, points.count);
    falsePositives = Arrays.copyOf(points.falsePositives, points.count);
    positives = truePositives[points.count - 1];
    negatives = falsePositives[points.count - 1];
  }

  /** Returns the index of the class, from 0. */
  public int classIndex() {
    return classIndex;
  }

  /** Returns the area under the ROC curve; NaN when all rows or no rows belong to the class. */
  public double rocAuc() {
    return rocAuc;
  }

  /** Returns the area under the precision-recall curve as average precision; 0 when no rows belong to the class. */
  public double averagePrecision() {
    return averagePrecision;
  }

  /** Returns the number of points, at least 1. */
  public int points() {
    return thresholds.length;
  }

  /** Returns the threshold of each point, in descending order; the first is infinity. */
  public double[] thresholds() {
    return thresholds.clone();
  }

  /** Returns, per point, the proportion of the rows of other classes that are predicted as the class; NaN if there are none. */
  public double[] falsePositiveRates() {
    return values(i -> falsePositives[i] / negatives);
  }

  /**
   * Returns, per point, the proportion of the rows of the class that are predicted as it, which is also the true positive rate; NaN
   * if there are none.
   */
  public double[] recalls() {
    return values(i -> truePositives[i] / positives);
  }

  /**
   * Returns, per point, the proportion of the rows predicted as the class that belong to it; 1 at the first point, where no row is
   * predicted as the class.
   */
  public double[] precisions() {
    return values(i -> i == 0 ? 1 : truePositives[i] / (truePositives[i] + falsePositives[i]));
  }

  /** Returns, per point, the F1 score; NaN if no rows belong to the class. */
  double[] f1() {
    return values(i -> positives == 0 ? Double.NaN : 2 * truePositives[i] / (truePositives[i] + falsePositives[i] + positives));
  }

  /**
   * Returns, per point, Youden's J times the weights of the rows of the class and of the others: without weights these are whole
   * numbers, which rounding does not make different if they are equal.
   */
  double[] scaledYouden() {
    return values(i -> truePositives[i] * negatives - falsePositives[i] * positives);
  }

  /**
   * Returns the curve with fewer points: the first, the last, and evenly spaced ones between them by number. The areas stay those
   * of all points.
   *
   * @param maxPoints at least 2
   */
  public ClassCurve thinned(int maxPoints) {
    if (maxPoints < 2) {
      throw new IllegalArgumentException("a curve of " + maxPoints + " points; at least 2 are needed");
    }
    int last = points() - 1;
    return last < maxPoints ? this
        : new ClassCurve(this, IntStream.range(0, maxPoints).map(i -> (int) Math.round((double) i * last / (maxPoints - 1))).toArray());
  }

  private double[] values(IntToDoubleFunction value) {
    return IntStream.range(0, points()).mapToDouble(value).toArray();
  }

  /** The points of a curve, from the highest threshold to the lowest. */
  static final class Builder {
    private final double[] thresholds;
    private final double[] truePositives;
    private final double[] falsePositives;
    private int count = 1;
    private boolean grew = true;

    /** @param maxSteps maximum number of calls of {@link #add} */
    Builder(int maxSteps) {
      thresholds = new double[maxSteps + 1];
      truePositives = new double[maxSteps + 1];
      falsePositives = new double[maxSteps + 1];
      thresholds[0] = Double.POSITIVE_INFINITY;
    }

    /** Adds the weights of the rows at the next threshold, of the class and of all others. A step without weight adds no point. */
    void add(double threshold, double positives, double negatives) {
      if (positives == 0 && negatives == 0) {
        return;
      }
      // In a run in which only other classes grow, the last point replaces the others.
      boolean replaces = !grew && positives == 0;
      int at = replaces ? count - 1 : count++;
      truePositives[at] = truePositives[replaces ? at : at - 1] + positives;
      falsePositives[at] = falsePositives[replaces ? at : at - 1] + negatives;
      thresholds[at] = threshold;
      grew = positives > 0;
    }

    ClassCurve build(int classIndex, double rocAuc, double averagePrecision) {
      return new ClassCurve(classIndex, rocAuc, averagePrecision, this);
    }
  }
}
