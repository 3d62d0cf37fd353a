package dev.plumb.train;

import java.util.List;

/** How good a model is on rows whose truth is known. */
public sealed interface Scores {
  /** The loss that it was trained with; for numbers in units of the training's deviation. */
  double loss();

  /** What one figure says of it: accuracy, r2. */
  String metricName();

  double metric();

  /** Of a classification. */
  record OfClasses(double loss, ClassScores classes) implements Scores {
    @Override
    public String metricName() {
      return "accuracy";
    }

    @Override
    public double metric() {
      return classes.accuracy();
    }
  }

  /**
   * Of a regression.
   *
   * @param truth [target][row], in the targets' own units
   * @param predicted likewise
   */
  record OfNumbers(double loss, List<String> targets, NumberScores numbers, double[][] truth, double[][] predicted)
      implements Scores {
    @Override
    public String metricName() {
      return "r2";
    }

    @Override
    public double metric() {
      return numbers.r2();
    }
  }
}
