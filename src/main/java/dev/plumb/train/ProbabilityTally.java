package dev.plumb.train;

import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** Sums over rows for the judgment of predicted probabilities: reliability, Brier score and top-k accuracy. Rows are added one by one. */
final class ProbabilityTally {
  private static final int[] TOP = {2, 3, 5};

  private final int classes;
  /** [rows] the probability of the second of two classes; null for several classes. */
  private final double[] second;
  private final long[] binRows = new long[Reliability.BINS];
  private final double[] binWeights = new double[Reliability.BINS];
  private final double[] binProbabilities = new double[Reliability.BINS];
  private final double[] binHits = new double[Reliability.BINS];
  private final double[] topHits = new double[TOP.length];
  private double squares;
  private double total;

  ProbabilityTally(int classes, int rows) {
    this.classes = classes;
    second = classes == 2 ? new double[rows] : null;
  }

  /** Returns the k of the top-k accuracies for a number of classes: 2, 3 and 5, as far as they are below it. */
  static int[] top(int classes) {
    return IntStream.of(TOP).filter(k -> k < classes).toArray();
  }

  /**
   * Adds a row.
   *
   * @param row from 0
   * @param truth its true class
   * @param predicted its predicted class
   * @param probability of each class
   */
  void add(int row, int truth, int predicted, IntToDoubleFunction probability, double weight) {
    total += weight;
    if (classes == 2) {
      second[row] = probability.applyAsDouble(1);
      addToBin(second[row], truth == 1, weight);
      squares += weight * (second[row] - truth) * (second[row] - truth);
      return;
    }
    addToBin(probability.applyAsDouble(predicted), truth == predicted, weight);
    double truthProbability = probability.applyAsDouble(truth);
    double sum = 0;
    int before = 0;
    for (int c = 0; c < classes; c++) {
      double p = probability.applyAsDouble(c);
      double error = c == truth ? p - 1 : p;
      sum += error * error;
      before += p > truthProbability || p == truthProbability && c > truth ? 1 : 0;
    }
    squares += weight * sum;
    for (int i = 0; i < TOP.length; i++) {
      topHits[i] += before < TOP[i] ? weight : 0;
    }
  }

  private void addToBin(double probability, boolean hit, double weight) {
    int bin = 0;
    while (bin < Reliability.BINS - 1 && probability > Reliability.limit(bin + 1)) {
      bin++;
    }
    binRows[bin]++;
    binWeights[bin] += weight;
    binProbabilities[bin] += weight * probability;
    binHits[bin] += hit ? weight : 0;
  }

  /** Returns the probability of the second of two classes for each row; empty for several classes. */
  Optional<double[]> second() {
    return Optional.ofNullable(second);
  }

  Reliability reliability() {
    return new Reliability(IntStream.range(0, Reliability.BINS).mapToObj(bin -> new Reliability.Bin(Reliability.limit(bin),
        Reliability.limit(bin + 1), binRows[bin], binWeights[bin], binProbabilities[bin] / binWeights[bin],
        binHits[bin] / binWeights[bin])).toList());
  }

  double brier() {
    return squares / total;
  }

  /** Returns the top-k accuracy for the i-th k of {@link #top}. */
  double topAccuracy(int i) {
    return topHits[i] / total;
  }
}
