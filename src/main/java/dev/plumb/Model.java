package dev.plumb;

import dev.plumb.data.FeatureColumn;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.store.ModelFile;
import dev.plumb.store.OnnxExport;
import dev.plumb.store.TrainedModel;
import dev.plumb.study.PermutationImportance;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.Importance;
import dev.plumb.train.ImportanceOptions;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.Predictor;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A trained model: a network, and the encoding of the columns that it was trained on. Immutable; any number of threads may use it
 * at the same time. It holds no resources that must be closed.
 *
 * <p>It predicts on the CPU, wherever it was trained; {@link #predictor(Device)} and {@link #score(Table, Device)} use other
 * devices.
 */
public final class Model {
  private final TrainedModel trained;
  private final List<EpochMetrics> history;
  private final Optional<FoldEstimate> estimate;
  /** On the CPU, where it holds only memory; null until it is needed. */
  private Predictor onCpu;

  Model(TrainedModel trained, List<EpochMetrics> history, Optional<FoldEstimate> estimate) {
    this.trained = trained;
    this.history = List.copyOf(history);
    this.estimate = estimate;
  }

  /**
   * Reads a table in the way that the training table was read: the same columns are numbers and text, and the same words stand
   * for missing values. {@link Plumb#read} would infer them from the file's content.
   *
   * @throws dev.plumb.model.InvalidInputException when the file cannot be read
   */
  public Table read(Path file) {
    return TableReader.read(file, trained.encoding().readOptions(ReadOptions.DEFAULT).withoutTargets());
  }

  /** Returns the names of the feature columns. */
  public List<String> featureNames() {
    return trained.encoding().features().stream().map(FeatureColumn::name).toList();
  }

  /**
   * Predicts the target of every row, on the CPU. Columns are found by name; the target columns are not needed.
   *
   * @throws dev.plumb.model.InvalidInputException when a feature is missing, or not of the kind that the model was trained on
   */
  public Predictions predict(Table table) {
    return onCpu().predict(table);
  }

  /**
   * Evaluates the model on labeled rows, on the CPU.
   *
   * @throws dev.plumb.model.InvalidInputException when a feature or a target is missing, or not of the kind that the model was
   *     trained on
   */
  public Scores score(Table table) {
    return score(table, Device.CPU);
  }

  /**
   * Evaluates the model on labeled rows.
   *
   * @param device opened for this call
   * @throws dev.plumb.model.InvalidInputException as for {@link #score(Table)}
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   */
  public Scores score(Table table, Device device) {
    return scored(device, predictor -> predictor.score(table));
  }

  /**
   * Measures how much the model needs each feature column, on the CPU: by the decrease of accuracy or R² when the column's values
   * are permuted among the rows, over 10 repeats.
   *
   * @param table labeled rows, at least two, preferably not seen in training
   * @throws dev.plumb.model.InvalidInputException as for {@link #score(Table)}, and when there is only one row
   */
  public Importance importance(Table table) {
    return importance(table, ImportanceOptions.DEFAULT, Device.CPU);
  }

  /**
   * Measures how much the model needs each feature column. The result depends on the seed of the options and on the rounding of the
   * device, but not on the number of threads or on the order of the table's columns.
   *
   * @param table labeled rows, at least two, preferably not seen in training
   * @param device opened for this call
   * @throws dev.plumb.model.InvalidInputException as for {@link #score(Table)}, and when there is only one row, the metric is one of
   *     the other task or undefined for these rows, or a weight cannot be used
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   */
  public Importance importance(Table table, ImportanceOptions options, Device device) {
    Metric metric = options.metric(trained.encoding().task());
    return scored(device, predictor -> PermutationImportance.of(
        predictor.permuted(metric, table, options.weights()), options.repeats(), options.seed(), scored -> {}));
  }

  private <T> T scored(Device device, Function<TablePredictor, T> scoring) {
    try (Backends.Selection selection = Backends.open(device, PlumbLog.usage());
        TablePredictor predictor = new TablePredictor(
            selection.backend(), trained, TablePredictor.precision(selection.backend(), trained))) {
      PlumbLog.device("scoring", selection);
      return scoring.apply(predictor);
    }
  }

  /** Opens the model for many predictions on the CPU, the fastest device for single rows. */
  public Predictor predictor() {
    return predictor(Device.CPU);
  }

  /**
   * Opens the model for many predictions on a device.
   *
   * @param device in use until the predictor is closed
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   */
  public Predictor predictor(Device device) {
    return DeviceInference.predictor(device, trained);
  }

  /** Returns the metrics of each epoch of the training; empty for a model that was loaded from a file. */
  public List<EpochMetrics> history() {
    return history;
  }

  /** Returns the scores expected on new rows; empty if no cross-validation preceded the training, or the model was loaded. */
  public Optional<FoldEstimate> estimate() {
    return estimate;
  }

  /** Returns the network with its parameters, and the encoding of the columns. */
  public TrainedModel trained() {
    return trained;
  }

  /** Writes the model as a safetensors file, which {@link Plumb#load} and PyTorch can read. */
  public void save(Path file) {
    ModelFile.write(file, trained);
  }

  /** Writes the model as ONNX, including the encoding of the columns and the conversion of outputs to probabilities. */
  public void saveOnnx(Path file) {
    OnnxExport.write(file, trained);
  }

  private synchronized Predictor onCpu() {
    if (onCpu == null) {
      onCpu = predictor(Device.CPU);
    }
    return onCpu;
  }
}
