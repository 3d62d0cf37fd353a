package dev.plumb.train;

import java.util.List;

/** How often predicted classes are the true ones, as scikit-learn's reports have it: a figure that would divide by 0 is 0. */
public final class ClassScores {
  private final List<String> classNames;
  private final ConfusionMatrix confusion;
  private final long[] correct;
  private final long[] actual;
  private final long[] predicted;
  private long rows;
  private long allCorrect;

  private ClassScores(List<String> classNames, ConfusionMatrix confusion) {
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
   * Compares the classes of some rows.
   *
   * @param truth the true class of each row
   * @param predicted the predicted class of each row
   */
  public static ClassScores of(List<String> classNames, int[] truth, int[] predicted) {
    return new ClassScores(classNames, ConfusionMatrix.of(classNames.size(), truth, predicted));
  }

  public List<String> classNames() {
    return classNames;
  }

  public ConfusionMatrix confusion() {
    return confusion;
  }

  public long rows() {
    return rows;
  }

  /** Returns the share of rows whose class was met. */
  public double accuracy() {
    return ratio(allCorrect, rows);
  }

  /** Returns, of the rows taken for a class, the share that are of it. */
  public double precision(int c) {
    return ratio(correct[c], predicted[c]);
  }

  /** Returns, of the rows of a class, the share that were taken for it. */
  public double recall(int c) {
    return ratio(correct[c], actual[c]);
  }

  /** Returns the harmonic mean of precision and recall. */
  public double f1(int c) {
    double sum = precision(c) + recall(c);
    return sum == 0 ? 0 : 2 * precision(c) * recall(c) / sum;
  }

  /** Returns the number of rows of a class. */
  public long support(int c) {
    return actual[c];
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
