package dev.plumb.train;

import dev.plumb.data.Dataset;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Loss and errors of predicted numbers, defined as in scikit-learn: per target, and as the unweighted mean over all targets.
 *
 * @param targets the names of the target columns, in the order of the arrays
 * @param errors one per target
 * @param truth [target][row], in the targets' own units; not copied
 * @param predicted likewise
 * @param baseline the errors of the mean of the training rows, one per target; empty if that is not known
 */
public record RegressionScores(double loss, List<String> targets, List<Errors> errors, double[][] truth, double[][] predicted,
    List<Errors> baseline) implements Scores {
  /**
   * The errors of one target.
   *
   * @param r2 1 - Σ(y - ŷ)² / Σ(y - ȳ)²; where all true values are equal, 1 if all are predicted exactly, otherwise 0
   * @param mae mean of |y - ŷ|
   * @param rmse root of the mean of (y - ŷ)²
   */
  public record Errors(double r2, double mae, double rmse) {
    /** @param weights [rows] of the rows, or null if all are equal */
    static Errors of(double[] truth, double[] predicted, double[] weights) {
      double total = 0;
      double sum = 0;
      boolean constant = true;
      for (int row = 0; row < truth.length; row++) {
        double weight = weights == null ? 1 : weights[row];
        total += weight;
        sum += weight * truth[row];
        constant &= truth[row] == truth[0];
      }
      double mean = sum / total;
      double squares = 0;
      double spread = 0;
      double absolute = 0;
      for (int row = 0; row < truth.length; row++) {
        double weight = weights == null ? 1 : weights[row];
        double error = truth[row] - predicted[row];
        double distance = truth[row] - mean;
        squares += weight * (error * error);
        absolute += weight * Math.abs(error);
        spread += weight * (distance * distance);
      }
      double r2 = spread > 0 && !constant ? 1 - squares / spread : squares == 0 ? 1 : 0;
      return new Errors(r2, absolute / total, Math.sqrt(squares / total));
    }

    /** @throws IllegalArgumentException when the metric is not one of these errors */
    double value(Metric metric) {
      return switch (metric) {
        case R2 -> r2;
        case MAE -> mae;
        case RMSE -> rmse;
        default -> throw new IllegalArgumentException("metric " + metric.key() + " of predicted numbers");
      };
    }
  }

  public RegressionScores {
    targets = List.copyOf(targets);
    errors = List.copyOf(errors);
    baseline = List.copyOf(baseline);
  }

  void writeFields(ObjectOutput out) throws IOException {
    out.writeDouble(loss);
    out.writeInt(targets.size());
    for (String target : targets) {
      out.writeObject(target);
    }
    write(errors, out);
    write(baseline, out);
    out.writeObject(truth);
    out.writeObject(predicted);
  }

  private static void write(List<Errors> errors, ObjectOutput out) throws IOException {
    out.writeInt(errors.size());
    for (Errors of : errors) {
      out.writeDouble(of.r2());
      out.writeDouble(of.mae());
      out.writeDouble(of.rmse());
    }
  }

  static RegressionScores readFields(ObjectInput in) throws IOException {
    double loss = in.readDouble();
    List<String> targets = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      targets.add(Predictions.readText(in));
    }
    List<Errors> errors = readErrors(in);
    List<Errors> baseline = readErrors(in);
    return new RegressionScores(loss, targets, errors, Predictions.readObject(in, double[][].class),
        Predictions.readObject(in, double[][].class), baseline);
  }

  private static List<Errors> readErrors(ObjectInput in) throws IOException {
    List<Errors> errors = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      errors.add(new Errors(in.readDouble(), in.readDouble(), in.readDouble()));
    }
    return errors;
  }

  /**
   * Compares predicted numbers with the true ones.
   *
   * @param loss the mean loss of the rows
   * @param truth [target][row]
   * @param predicted [target][row]
   * @param weights [rows]; null if all are equal
   * @param baseline of the model, if it is known
   */
  static RegressionScores of(double loss, List<String> targets, double[][] truth, double[][] predicted, double[] weights,
      Optional<Baseline> baseline) {
    Errors[] errors = new Errors[truth.length];
    Arrays.setAll(errors, target -> Errors.of(truth[target], predicted[target], weights));
    List<Errors> baselineErrors = baseline.map(constant -> IntStream.range(0, truth.length)
        .mapToObj(target -> constant.errors(target, truth[target], weights)).toList()).orElse(List.of());
    return new RegressionScores(loss, targets, List.of(errors), truth, predicted, baselineErrors);
  }

  /**
   * Returns R² of a network's outputs, the mean over all targets.
   *
   * @param predicted [rows x outputs] row-major, like the targets of the rows
   */
  static double r2(Dataset rows, double[] predicted) {
    return mean(rows, predicted, null, Errors::r2);
  }

  /**
   * Returns the mean over all targets of an error of a network's outputs.
   *
   * @param predicted [rows x outputs] row-major, like the targets of the rows
   * @param weights [rows] of the rows, or null if all are equal
   */
  static double mean(Dataset rows, double[] predicted, double[] weights, ToDoubleFunction<Errors> error) {
    double sum = 0;
    for (int output = 0; output < rows.outputs(); output++) {
      double[] truth = new double[rows.rows()];
      double[] values = new double[rows.rows()];
      for (int row = 0; row < rows.rows(); row++) {
        truth[row] = rows.target(row, output);
        values[row] = predicted[row * rows.outputs() + output];
      }
      sum += error.applyAsDouble(Errors.of(truth, values, weights));
    }
    return sum / rows.outputs();
  }

  @Override
  public double value(Metric metric) {
    return switch (metric) {
      case LOSS -> loss;
      case R2 -> r2();
      case MAE -> mae();
      case RMSE -> rmse();
      default -> throw new IllegalStateException("the model predicts numbers, which have no " + metric.label()
          + "; use r2, mae or rmse");
    };
  }

  @Override
  public double baseline(Metric metric) {
    return metric == Metric.LOSS || baseline.isEmpty() ? Double.NaN
        : baseline.stream().mapToDouble(target -> target.value(metric)).sum() / baseline.size();
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

  /**
   * Returns the residuals of a target by its prediction.
   *
   * @param target from 0
   */
  public Residuals residuals(int target) {
    return Residuals.of(truth[target], predicted[target]);
  }

  private double mean(ToDoubleFunction<Errors> figure) {
    double sum = 0;
    for (Errors target : errors) {
      sum += figure.applyAsDouble(target);
    }
    return sum / errors.size();
  }
}
