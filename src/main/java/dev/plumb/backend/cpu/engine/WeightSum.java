package dev.plumb.backend.cpu.engine;

/** Sums of the weights of rows, accumulated in double for both precisions. */
public final class WeightSum {
  private WeightSum() {}

  /** Returns the sum of the first weights; without weights, which is null, the number of rows. */
  public static double of(double[] weights, int rows) {
    if (weights == null) {
      return rows;
    }
    double sum = 0;
    for (int i = 0; i < rows; i++) {
      sum += weights[i];
    }
    return sum;
  }

  /** Returns the sum of the first weights; without weights, which is null, the number of rows. */
  public static double of(float[] weights, int rows) {
    if (weights == null) {
      return rows;
    }
    double sum = 0;
    for (int i = 0; i < rows; i++) {
      sum += weights[i];
    }
    return sum;
  }
}
