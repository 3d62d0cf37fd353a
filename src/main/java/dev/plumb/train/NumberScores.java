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
  public static NumberScores of(Dataset rows, double[] predicted) {
    int outputs = rows.outputs();
    double[] r2 = new double[outputs];
    double[] mae = new double[outputs];
    double[] rmse = new double[outputs];
    for (int column = 0; column < outputs; column++) {
      double sum = 0;
      for (int row = 0; row < rows.rows(); row++) {
        sum += rows.target(row, column);
      }
      double mean = sum / rows.rows();
      double squares = 0;
      double spread = 0;
      double absolute = 0;
      for (int row = 0; row < rows.rows(); row++) {
        double error = rows.target(row, column) - predicted[row * outputs + column];
        double distance = rows.target(row, column) - mean;
        squares += error * error;
        absolute += Math.abs(error);
        spread += distance * distance;
      }
      r2[column] = spread > 0 ? 1 - squares / spread : squares == 0 ? 1 : 0;
      mae[column] = absolute / rows.rows();
      rmse[column] = Math.sqrt(squares / rows.rows());
    }
    return new NumberScores(r2, mae, rmse);
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
