package dev.plumb.train;

import dev.plumb.data.Dataset;

/**
 * How near predicted numbers come to the true ones: each figure per target and, where one figure is wanted, their plain mean, as
 * scikit-learn has it.
 *
 * @param r2PerTarget 1 - Σ(y - ŷ)² / Σ(y - ȳ)²; where all true values are equal, 1 when all are met and else 0
 * @param maePerTarget mean of |y - ŷ|
 * @param rmsePerTarget root of the mean of (y - ŷ)²
 */
public record NumberScores(double[] r2PerTarget, double[] maePerTarget, double[] rmsePerTarget) {
  /** @param predicted [rows x outputs] row-major, like the targets of the rows */
  static NumberScores of(Dataset rows, double[] predicted) {
    double[][] truth = new double[rows.outputs()][rows.rows()];
    double[][] byTarget = new double[rows.outputs()][rows.rows()];
    for (int row = 0; row < rows.rows(); row++) {
      for (int target = 0; target < rows.outputs(); target++) {
        truth[target][row] = rows.target(row, target);
        byTarget[target][row] = predicted[row * rows.outputs() + target];
      }
    }
    return of(truth, byTarget);
  }

  /** @param truth [target][row]; @param predicted likewise */
  public static NumberScores of(double[][] truth, double[][] predicted) {
    NumberScores scores = new NumberScores(new double[truth.length], new double[truth.length], new double[truth.length]);
    for (int target = 0; target < truth.length; target++) {
      int rows = truth[target].length;
      double sum = 0;
      for (double value : truth[target]) {
        sum += value;
      }
      double mean = sum / rows;
      double squares = 0;
      double spread = 0;
      double absolute = 0;
      for (int row = 0; row < rows; row++) {
        double error = truth[target][row] - predicted[target][row];
        double distance = truth[target][row] - mean;
        squares += error * error;
        absolute += Math.abs(error);
        spread += distance * distance;
      }
      scores.r2PerTarget[target] = spread > 0 ? 1 - squares / spread : squares == 0 ? 1 : 0;
      scores.maePerTarget[target] = absolute / rows;
      scores.rmsePerTarget[target] = Math.sqrt(squares / rows);
    }
    return scores;
  }

  public double r2() {
    return mean(r2PerTarget);
  }

  public double mae() {
    return mean(maePerTarget);
  }

  public double rmse() {
    return mean(rmsePerTarget);
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }
}
