package dev.plumb.train;

import dev.plumb.data.Dataset;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Loss and errors of predicted numbers, defined as in scikit-learn: per target, and as the unweighted mean over all targets.
 *
 * @param targets the names of the target columns, in the order of the arrays
 * @param errors one per target
 * @param truth [target][row], in the targets' own units; not copied
 * @param predicted likewise
 */
public record RegressionScores(double loss, List<String> targets, List<Errors> errors, double[][] truth, double[][] predicted)
    implements Scores {
  /**
   * The errors of one target.
   *
   * @param r2 1 - Σ(y - ŷ)² / Σ(y - ȳ)²; where all true values are equal, 1 if all are predicted exactly, otherwise 0
   * @param mae mean of |y - ŷ|
   * @param rmse root of the mean of (y - ŷ)²
   */
  public record Errors(double r2, double mae, double rmse) {
    static Errors of(double[] truth, double[] predicted) {
      int rows = truth.length;
      double sum = 0;
      for (double value : truth) {
        sum += value;
      }
      double mean = sum / rows;
      double squares = 0;
      double spread = 0;
      double absolute = 0;
      for (int row = 0; row < rows; row++) {
        double error = truth[row] - predicted[row];
        double distance = truth[row] - mean;
        squares += error * error;
        absolute += Math.abs(error);
        spread += distance * distance;
      }
      double r2 = spread > 0 ? 1 - squares / spread : squares == 0 ? 1 : 0;
      return new Errors(r2, absolute / rows, Math.sqrt(squares / rows));
    }
  }

  public RegressionScores {
    targets = List.copyOf(targets);
    errors = List.copyOf(errors);
  }

  /**
   * Compares predicted numbers with the true ones.
   *
   * @param loss the mean loss of the rows
   * @param truth [target][row]
   * @param predicted [target][row]
   */
  static RegressionScores of(double loss, List<String> targets, double[][] truth, double[][] predicted) {
    Errors[] errors = new Errors[truth.length];
    Arrays.setAll(errors, target -> Errors.of(truth[target], predicted[target]));
    return new RegressionScores(loss, targets, List.of(errors), truth, predicted);
  }

  /**
   * Returns R² of a network's outputs, the mean over all targets.
   *
   * @param predicted [rows x outputs] row-major, like the targets of the rows
   */
  static double r2(Dataset rows, double[] predicted) {
    double sum = 0;
    for (int output = 0; output < rows.outputs(); output++) {
      double[] truth = new double[rows.rows()];
      double[] values = new double[rows.rows()];
      for (int row = 0; row < rows.rows(); row++) {
        truth[row] = rows.target(row, output);
        values[row] = predicted[row * rows.outputs() + output];
      }
      sum += Errors.of(truth, values).r2();
    }
    return sum / rows.outputs();
  }

  @Override
  public long rows() {
    return truth[0].length;
  }

  @Override
  public double r2() {
    return mean(Errors::r2);
  }

  @Override
  public double mae() {
    return mean(Errors::mae);
  }

  @Override
  public double rmse() {
    return mean(Errors::rmse);
  }

  private double mean(ToDoubleFunction<Errors> figure) {
    double sum = 0;
    for (Errors target : errors) {
      sum += figure.applyAsDouble(target);
    }
    return sum / errors.size();
  }
}
