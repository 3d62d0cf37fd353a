package dev.plumb.train;

import java.util.List;

/**
 * Loss, accuracy, and precision, recall and F1 score per class. They are defined as in scikit-learn's classification report; a
 * quotient whose divisor is 0 is 0.
 */
public final class ClassificationScores implements Scores {
  private final double loss;
  private final List<String> classNames;
  private final ConfusionMatrix confusion;
  private final long[] correct;
  private final long[] actual;
  private final long[] predicted;
  private long rows;
  private long allCorrect;

  private ClassificationScores(double loss, List<String> classNames, ConfusionMatrix confusion) {
    this.loss = loss;
    this.classNames = List.copyOf(classNames);
    this.confusion = confusion;
    correct = new long[classNames.size()];
    actual = new long[classNames.size()];
    predicted = new long[classNames.size()];
    for (ConfusionMatrix.Cell cell : confusion.cells()) {
      rows += cell.count();
      actual[cell.actual()] += cell.count();
      predicted[cell.predicted()] += cell.count();
      if (cell.actual() == cell.predicted()) {
        correct[cell.actual()] += cell.count();
        allCorrect += cell.count();
      }
    }
  }

  /**
   * Compares predicted classes with the true ones.
   *
   * @param loss the mean loss of the rows
   * @param truth the true class of each row, from 0
   * @param predicted the predicted class of each row, from 0
   */
  static ClassificationScores of(double loss, List<String> classNames, int[] truth, int[] predicted) {
    return new ClassificationScores(loss, classNames, ConfusionMatrix.of(classNames.size(), truth, predicted));
  }

  @Override
  public double loss() {
    return loss;
  }

  @Override
  public long rows() {
    return rows;
  }

  @Override
  public double accuracy() {
    return ratio(allCorrect, rows);
  }

  /** Returns the names of the classes, in the order of their indices. */
  public List<String> classNames() {
    return classNames;
  }

  /** Returns how often each class was predicted for each true class. */
  public ConfusionMatrix confusion() {
    return confusion;
  }

  /**
   * Returns, of the rows predicted as a class, the proportion that belongs to it.
   *
   * @param classIndex from 0
   */
  public double precision(int classIndex) {
    return ratio(correct[classIndex], predicted[classIndex]);
  }

  /**
   * Returns, of the rows of a class, the proportion that was predicted as it.
   *
   * @param classIndex from 0
   */
  public double recall(int classIndex) {
    return ratio(correct[classIndex], actual[classIndex]);
  }

  /**
   * Returns the harmonic mean of precision and recall.
   *
   * @param classIndex from 0
   */
  public double f1(int classIndex) {
    double sum = precision(classIndex) + recall(classIndex);
    return sum == 0 ? 0 : 2 * precision(classIndex) * recall(classIndex) / sum;
  }

  /**
   * Returns the number of rows of a class.
   *
   * @param classIndex from 0
   */
  public long support(int classIndex) {
    return actual[classIndex];
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
