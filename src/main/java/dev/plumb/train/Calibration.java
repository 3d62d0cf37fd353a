package dev.plumb.train;

import dev.plumb.backend.Backend;
import dev.plumb.data.Dataset;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.store.TrainedModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * Calibration of a classifier's probabilities by temperature scaling (Guo et al., "On calibration of modern neural networks",
 * 2017): the outputs of the network, which are logits, are divided by the temperature that minimizes the loss of rows that the
 * network was not trained on. The most probable class does not change. Above 1, the temperature makes probabilities less extreme.
 *
 * <p>Few rows may all be classified correctly; the best temperature would then be 0, and the first error on other rows would cost a
 * loss without limit. So a penalty of 10 (b - 1 - ln(b)) for the inverse temperature b is added to the sum of the losses: the
 * negative logarithm of a gamma distribution whose mode is 1. It decides if there are few rows, and hardly matters if there are many.
 *
 * <p>The rows are the validation rows; if folds chose the configuration of a small table, the test rows of all folds, with the
 * outputs of the folds' networks. The last layer of the model is divided by the temperature, so that predictions, exported files
 * and the loss need no division of their own.
 */
public final class Calibration {
  /** Entry of a model file with the temperature. */
  static final String ENTRY = "temperature";

  /** Limits of the temperature. */
  static final double MIN_TEMPERATURE = 0.05;
  static final double MAX_TEMPERATURE = 20;

  /** Weight of the penalty. With 1, 45 validation rows of the breast cancer table made its probabilities too extreme. */
  private static final double PENALTY = 10;

  private static final int MAX_ITERATIONS = 100;
  private static final double TOLERANCE = 1e-12;

  private final List<double[]> outputs = new ArrayList<>();
  private final List<int[]> truths = new ArrayList<>();
  private final List<double[]> weights = new ArrayList<>();
  private final Loss loss;
  private final int outputsOfRow;

  /**
   * Creates a calibration without rows.
   *
   * @param loss cross_entropy or binary_cross_entropy
   * @param outputsOfRow number of outputs of the network
   */
  Calibration(Loss loss, int outputsOfRow) {
    this.loss = loss;
    this.outputsOfRow = outputsOfRow;
  }

  /**
   * Adds rows.
   *
   * @param logits [rows x outputs] row-major, all finite; not copied
   * @param truth [rows] index of the true class; not copied
   * @param weightOfRow [rows] weights, or null if all are equal; not copied
   */
  void add(double[] logits, int[] truth, double[] weightOfRow) {
    outputs.add(logits);
    truths.add(truth);
    weights.add(weightOfRow);
  }

  /**
   * Returns the temperature for the test rows of the folds of a cross-validation.
   *
   * @param predictions of each fold for its test rows
   * @param tests the test rows of each fold, which hold the targets and weights
   * @return empty if an output is not finite
   */
  public static OptionalDouble ofFolds(TrainConfig config, List<Predictions> predictions, List<Table> tests) {
    TrainedModel first = predictions.get(0).model();
    Calibration calibration = new Calibration(first.loss(), first.network().outputs());
    for (int fold = 0; fold < tests.size(); fold++) {
      Predictions of = predictions.get(fold);
      if (!isFinite(of.outputs())) {
        return OptionalDouble.empty();
      }
      calibration.add(of.outputs(), of.model().encoding().labels(tests.get(fold)), config.weights().ofColumn(tests.get(fold)));
    }
    return OptionalDouble.of(calibration.temperature());
  }

  /**
   * Checks that a training that asks for a calibration has rows for it.
   *
   * @throws InvalidInputException when it has none
   */
  public static void require(PreparedData prepared, Optional<FoldEstimate> estimate) {
    boolean hasRows = prepared.view().validation().isPresent() || estimate.filter(of -> of.temperature().isPresent()).isPresent();
    if (prepared.config().calibrate() && !hasRows) {
      throw new InvalidInputException("calibrate: needs rows that are held out, but none of the " + prepared.view().rows()
          + " rows are, and no folds were trained; use a validation share such as 0.2");
    }
  }

  /**
   * Returns a model, calibrated if the configuration of its training asks for it.
   *
   * @param parameters of the best epoch, [ParameterLayout.size()]
   * @param texts origin of the model; a calibrated one gets an entry with the temperature
   * @param estimate the estimate by the cross-validation that chose the configuration, if there was one
   * @param backend computes the outputs for the validation rows
   * @return the model; not calibrated if an output for a validation row is not finite
   */
  public static TrainedModel model(PreparedData prepared, double[] parameters, SortedMap<String, String> texts,
      Optional<FoldEstimate> estimate, Backend backend) {
    TrainedModel model = prepared.model(parameters, texts);
    if (!prepared.config().calibrate()) {
      return model;
    }
    OptionalDouble temperature = prepared.view().validation().isPresent()
        ? ofValidation(prepared, model, backend) : estimate.orElseThrow().temperature();
    if (temperature.isEmpty()) {
      return model;
    }
    SortedMap<String, String> added = new TreeMap<>(texts);
    added.put(ENTRY, Double.toString(temperature.getAsDouble()));
    return prepared.model(scaled(model.network(), parameters, temperature.getAsDouble()), added);
  }

  /** Returns the temperature of a model's entry. */
  public static OptionalDouble of(TrainedModel model) {
    String text = model.manifest().get(ENTRY);
    return text == null ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(text));
  }

  private static OptionalDouble ofValidation(PreparedData prepared, TrainedModel model, Backend backend) {
    Dataset rows = prepared.view().validation().orElseThrow();
    Table table = prepared.view().validationRows().orElseThrow();
    double[] logits;
    try (TablePredictor predictor = new TablePredictor(backend, model, model.precision())) {
      logits = predictor.outputs(rows);
    }
    if (!isFinite(logits)) {
      return OptionalDouble.empty();
    }
    Calibration calibration = new Calibration(model.loss(), model.network().outputs());
    calibration.add(logits, model.encoding().labels(table), prepared.config().weights().ofColumn(table));
    return OptionalDouble.of(calibration.temperature());
  }

  private static boolean isFinite(double[] values) {
    return Arrays.stream(values).allMatch(Double::isFinite);
  }

  /** Returns parameters with the last layer divided by the temperature. */
  static double[] scaled(NetworkSpec network, double[] parameters, double temperature) {
    double[] scaled = parameters.clone();
    int last = network.layerCount() - 1;
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices(last)) {
      for (int i = slice.offset(); i < slice.offset() + slice.size(); i++) {
        scaled[i] /= temperature;
      }
    }
    return scaled;
  }

  /**
   * Returns the temperature that minimizes the penalized loss. In terms of the inverse temperature it is convex, so its derivative
   * has one root, which Newton's method finds; where a step leaves the interval that contains the root, the interval is halved.
   */
  double temperature() {
    double low = 1 / MAX_TEMPERATURE;
    double high = 1 / MIN_TEMPERATURE;
    if (derivatives(high)[0] <= 0) {
      return MIN_TEMPERATURE;
    }
    if (derivatives(low)[0] >= 0) {
      return MAX_TEMPERATURE;
    }
    double inverse = 1;
    for (int i = 0; i < MAX_ITERATIONS && high - low > TOLERANCE * inverse; i++) {
      double[] derivatives = derivatives(inverse);
      if (derivatives[0] == 0) {
        break;
      }
      if (derivatives[0] > 0) {
        high = inverse;
      } else {
        low = inverse;
      }
      double next = inverse - derivatives[0] / derivatives[1];
      next = next > low && next < high ? next : (low + high) / 2;
      if (Math.abs(next - inverse) <= TOLERANCE * inverse) {
        inverse = next;
        break;
      }
      inverse = next;
    }
    return 1 / inverse;
  }

  /** Returns the first and second derivative of the penalized sum of the losses with respect to the inverse temperature. */
  private double[] derivatives(double inverse) {
    // The penalty has the mean weight of the rows.
    double penalty = PENALTY * meanWeight();
    double[] sums = {penalty * (1 - 1 / inverse), penalty / (inverse * inverse)};
    for (int i = 0; i < outputs.size(); i++) {
      double[] logits = outputs.get(i);
      for (int row = 0; row < truths.get(i).length; row++) {
        double weight = weights.get(i) == null ? 1 : weights.get(i)[row];
        if (loss == Loss.CROSS_ENTROPY) {
          addSoftmax(logits, row * outputsOfRow, truths.get(i)[row], inverse, weight, sums);
        } else {
          addSigmoids(logits, row * outputsOfRow, truths.get(i)[row], inverse, weight, sums);
        }
      }
    }
    return sums;
  }

  private double meanWeight() {
    return weights.stream().flatMapToDouble(of -> of == null ? DoubleStream.of(1) : Arrays.stream(of)).average().orElse(1);
  }

  /** Adds mean(z) - z of the true class, and the variance of z, both under the softmax of inverse * z. */
  private void addSoftmax(double[] logits, int first, int truth, double inverse, double weight, double[] sums) {
    double max = Double.NEGATIVE_INFINITY;
    for (int j = first; j < first + outputsOfRow; j++) {
      max = Math.max(max, logits[j]);
    }
    // Relative to the largest logit, so that nothing overflows or cancels.
    double total = 0;
    double mean = 0;
    double square = 0;
    for (int j = first; j < first + outputsOfRow; j++) {
      double z = logits[j] - max;
      double e = Math.exp(inverse * z);
      total += e;
      mean += e * z;
      square += e * z * z;
    }
    mean /= total;
    sums[0] += weight * (mean - (logits[first + truth] - max));
    sums[1] += weight * (square / total - mean * mean);
  }

  /** Adds (p - t) z and p (1 - p) z² of each output, where p is the sigmoid of inverse * z, and t is 1 for the true class. */
  private void addSigmoids(double[] logits, int first, int truth, double inverse, double weight, double[] sums) {
    for (int j = 0; j < outputsOfRow; j++) {
      double z = logits[first + j];
      boolean isTrue = outputsOfRow == 1 ? truth == 1 : truth == j;
      // The probability of the other outcome, whose rounding error is small where it is small itself.
      double other = 1 / (1 + Math.exp(isTrue ? inverse * z : -inverse * z));
      sums[0] += weight * (isTrue ? -other * z : other * z);
      sums[1] += weight * other * (1 - other) * z * z;
    }
  }
}
