package dev.plumb.train;

import java.util.List;

/**
 * How often predicted classes are the true ones, as scikit-learn's reports have it: a figure that would divide by 0 is 0.
 *
 * @param confusion [true class][predicted class], rows counted
 */
public record ClassScores(List<String> classNames, long[][] confusion) {
  /** @param truth the class of each row; @param predicted likewise */
  public static ClassScores of(List<String> classNames, int[] truth, int[] predicted) {
    long[][] confusion = new long[classNames.size()][classNames.size()];
    for (int row = 0; row < truth.length; row++) {
      confusion[truth[row]][predicted[row]]++;
    }
    return new ClassScores(classNames, confusion);
  }

  public long rows() {
    long sum = 0;
    for (int c = 0; c < confusion.length; c++) {
      sum += support(c);
    }
    return sum;
  }

  /** The share of rows whose class was met. */
  public double accuracy() {
    long hits = 0;
    for (int c = 0; c < confusion.length; c++) {
      hits += confusion[c][c];
    }
    return ratio(hits, rows());
  }

  /** Of the rows taken for a class, the share that are of it. */
  public double precision(int c) {
    long taken = 0;
    for (long[] ofTrue : confusion) {
      taken += ofTrue[c];
    }
    return ratio(confusion[c][c], taken);
  }

  /** Of the rows of a class, the share that were taken for it. */
  public double recall(int c) {
    return ratio(confusion[c][c], support(c));
  }

  /** The harmonic mean of precision and recall. */
  public double f1(int c) {
    double sum = precision(c) + recall(c);
    return sum == 0 ? 0 : 2 * precision(c) * recall(c) / sum;
  }

  /** Rows of a class. */
  public long support(int c) {
    long sum = 0;
    for (long count : confusion[c]) {
      sum += count;
    }
    return sum;
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
