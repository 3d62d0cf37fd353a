package dev.plumb.train;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Areas under the curves of classes, each against the rest: of the second of two classes, otherwise the mean over all classes.
 *
 * <p>Only thresholds at which recall grows affect the areas: the distinct probabilities of the class for rows that belong to it.
 * All other rows are counted at or between these thresholds, so that memory grows with the rows plus the classes, not with
 * their product.
 */
final class OneVersusRest {
  private final int first;
  private final int[] truth;
  private final double[] weights;
  /** [class][threshold] ascending. */
  private final double[][] thresholds;
  /** [class][threshold] weight of the rows of the class. */
  private final double[][] positives;
  /** [class][2 thresholds + 1] weight of the other rows: below the first threshold, at it, below the second, and so on. */
  private final double[][] negatives;
  /** [class][threshold + 1] lowest probability of the other rows below the first threshold, below the second, and so on. */
  private final double[][] lowest;

  /**
   * Prepares the thresholds.
   *
   * @param classes number of classes
   * @param truth [rows] the true class of each row, from 0
   * @param truthProbabilities [rows] the probability of each row's true class
   * @param weights [rows] of the rows, or null if all are equal
   */
  OneVersusRest(int classes, int[] truth, double[] truthProbabilities, double[] weights) {
    first = classes == 2 ? 1 : 0;
    this.truth = truth;
    this.weights = weights;
    thresholds = new double[classes][];
    positives = new double[classes][];
    negatives = new double[classes][];
    lowest = new double[classes][];
    int[] counts = new int[classes];
    for (int c : truth) {
      counts[c]++;
    }
    Arrays.setAll(thresholds, c -> new double[counts[c]]);
    for (int row = 0; row < truth.length; row++) {
      thresholds[truth[row]][--counts[truth[row]]] = zeroWithoutSign(truthProbabilities[row]);
    }
    for (int c = 0; c < classes; c++) {
      thresholds[c] = sortedDistinct(thresholds[c]);
      positives[c] = new double[thresholds[c].length];
      negatives[c] = new double[2 * thresholds[c].length + 1];
      lowest[c] = new double[thresholds[c].length + 1];
      Arrays.fill(lowest[c], Double.POSITIVE_INFINITY);
    }
    for (int row = 0; row < truth.length; row++) {
      int c = truth[row];
      positives[c][Arrays.binarySearch(thresholds[c], zeroWithoutSign(truthProbabilities[row]))] += weight(row);
    }
  }

  /**
   * Adds the probability of one class for one row. Each pair of row and class must be added once, in any order; class by class is
   * fastest. Those of a row's true class change nothing.
   */
  void add(int row, int c, double probability) {
    if (truth[row] != c && c >= first) {
      int at = Arrays.binarySearch(thresholds[c], zeroWithoutSign(probability));
      negatives[c][at >= 0 ? 2 * at + 1 : -2 * (at + 1)] += weight(row);
      if (at < 0 && weight(row) > 0) {
        lowest[c][-(at + 1)] = Math.min(lowest[c][-(at + 1)], zeroWithoutSign(probability));
      }
    }
  }

  /** Returns the curves: that of the second of two classes, otherwise those of all classes. */
  List<ClassCurve> curves() {
    return IntStream.range(first, thresholds.length).mapToObj(this::curve).toList();
  }

  /** Visits the thresholds and the gaps between them from the highest to the lowest. */
  private ClassCurve curve(int c) {
    ClassCurve.Builder curve = new ClassCurve.Builder(2 * thresholds[c].length + 1);
    for (int i = thresholds[c].length; i >= 0; i--) {
      curve.add(lowest[c][i], 0, negatives[c][2 * i]);
      if (i > 0) {
        curve.add(thresholds[c][i - 1], positives[c][i - 1], negatives[c][2 * i - 1]);
      }
    }
    return curve.build(c, rocAuc(positives[c], negatives[c]), averagePrecision(positives[c], negatives[c]));
  }

  /** Returns the area under the receiver operating characteristic curve; NaN when a class has no rows or all. */
  double rocAuc() {
    double sum = 0;
    for (int c = first; c < thresholds.length; c++) {
      sum += rocAuc(positives[c], negatives[c]);
    }
    return sum / (thresholds.length - first);
  }

  private static double rocAuc(double[] positives, double[] negatives) {
    double area = 0;
    double truePositives = 0;
    double falsePositives = 0;
    for (int i = positives.length; i >= 0; i--) {
      area += negatives[2 * i] * truePositives;
      falsePositives += negatives[2 * i];
      if (i > 0) {
        area += negatives[2 * i - 1] * (truePositives + positives[i - 1] / 2);
        falsePositives += negatives[2 * i - 1];
        truePositives += positives[i - 1];
      }
    }
    return area / (truePositives * falsePositives);
  }

  /** Returns Σ precision · (increase of recall) over all thresholds; 0 for a class that has no rows. */
  double averagePrecision() {
    double sum = 0;
    for (int c = first; c < thresholds.length; c++) {
      sum += averagePrecision(positives[c], negatives[c]);
    }
    return sum / (thresholds.length - first);
  }

  private static double averagePrecision(double[] positives, double[] negatives) {
    double area = 0;
    double truePositives = 0;
    double falsePositives = 0;
    for (int i = positives.length; i > 0; i--) {
      truePositives += positives[i - 1];
      falsePositives += negatives[2 * i] + negatives[2 * i - 1];
      if (positives[i - 1] > 0) {
        area += positives[i - 1] * truePositives / (truePositives + falsePositives);
      }
    }
    return truePositives == 0 ? 0 : area / truePositives;
  }

  private static double[] sortedDistinct(double[] values) {
    Arrays.sort(values);
    int count = 0;
    for (double value : values) {
      if (count == 0 || value != values[count - 1]) {
        values[count++] = value;
      }
    }
    return Arrays.copyOf(values, count);
  }

  /** Returns 0 for -0, which sorting and searching would tell apart. */
  private static double zeroWithoutSign(double value) {
    return value + 0.0;
  }

  private double weight(int row) {
    return weights == null ? 1 : weights[row];
  }
}
