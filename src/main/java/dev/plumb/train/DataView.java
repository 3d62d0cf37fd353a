package dev.plumb.train;

import dev.plumb.data.Dataset;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Split;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * The view that a training has of a table: its split and encoded rows. Several networks can be trained on one view.
 *
 * @param columns the columns of the configuration, with all names and the task filled in
 * @param rows number of rows that are used
 * @param droppedRows number of rows that are dropped because a value is missing
 * @param encoding the encoding, fitted on the training rows only
 * @param loss the loss that the targets are encoded for
 * @param training the encoded training rows
 * @param validation the encoded validation rows; empty if none are held out
 * @param trainingRows the training rows as in the table
 * @param validationRows the validation rows as in the table; empty if none are held out
 */
public record DataView(
    EncodingOptions columns,
    int rows,
    int droppedRows,
    TableEncoding encoding,
    Loss loss,
    Dataset training,
    Optional<Dataset> validation,
    Table trainingRows,
    Optional<Table> validationRows) {

  /** Number of categories up to which a feature is not reported as nearly unique. */
  private static final int MAX_SINGLE_CATEGORIES = 10;
  /** Fewer validation rows are too few to choose an epoch by: none are held out then. */
  private static final int MIN_VALIDATION = 30;

  /**
   * Splits a table and encodes its rows.
   *
   * @param splitStream the random stream that the split is drawn from
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static DataView of(Table table, TrainConfig config, NumpyRandom splitStream) {
    RowWeights weights = config.weights();
    EncodingOptions columns = weights.resolve(table, config.columns());
    Task task = columns.task().orElseThrow();
    config.requireLossFits(task);
    config.requireWatchFits(task);
    Loss loss = config.loss(task);
    Table usable = columns.handleMissing(table, weights);
    double share = Math.round(usable.rows() * config.validation()) < MIN_VALIDATION ? 0 : config.validation();
    Split split = Split.of(usable.rows(), share, splitStream, share == 0 ? null : columns.labels(usable));
    Table trainingRows = usable.rows(split.training());
    Optional<Table> validationRows = share == 0 ? Optional.empty() : Optional.of(usable.rows(split.validation()));
    TableEncoding fitted = TableEncoding.fit(trainingRows, columns);
    TableEncoding encoding = (columns.standardize() ? PixelScale.of(fitted, trainingRows) : fitted).withNaValues(config.format().naValues());
    return new DataView(columns, usable.rows(), table.rows() - usable.rows(), encoding, loss,
        weights.apply(encoding.encode(trainingRows, loss, config.precision()), trainingRows, encoding, trainingRows),
        validationRows.map(rows -> weights.apply(encoding.encode(rows, loss, config.precision()), rows, encoding, trainingRows)),
        trainingRows, validationRows);
  }

  /**
   * Encodes other rows with their weights, as the training rows were.
   *
   * @throws InvalidInputException when the rows lack what the training rows had
   */
  Dataset encode(Table other, TrainConfig config) {
    return config.weights().apply(encoding.encode(other, loss, config.precision()), other, encoding, trainingRows);
  }

  /** Returns the rows that a training on this view is judged by: the validation rows, or the training rows if there are none. */
  public Dataset judged() {
    return validation.orElse(training);
  }

  /**
   * Returns the scores of a network's outputs for the {@linkplain #judged() judged} rows; empty if one is not finite.
   *
   * @param lossOfRows mean loss of the rows
   * @param outputs [rows x outputs] row-major
   */
  public Optional<Scores> score(double lossOfRows, double[] outputs) {
    if (!Arrays.stream(outputs).allMatch(Double::isFinite)) {
      return Optional.empty();
    }
    if (encoding.target() instanceof TargetEncoding.Classes classes) {
      return Optional.of(ClassificationScores.of(lossOfRows, classes.classNames(), Metric.classes(judged(), loss, outputs, null),
          Optional.empty()));
    }
    Table table = validationRows.orElse(trainingRows);
    double[] decoded = encoding.decodeOutputs(outputs);
    List<String> names = encoding.target().names();
    double[][] truth = new double[names.size()][table.rows()];
    double[][] predicted = new double[names.size()][table.rows()];
    for (int target = 0; target < names.size(); target++) {
      int column = target;
      Arrays.setAll(truth[target], table.column(names.get(target))::number);
      Arrays.setAll(predicted[target], row -> decoded[row * names.size() + column]);
    }
    return Optional.of(RegressionScores.of(lossOfRows, names, truth, predicted, null, Optional.empty()));
  }

  /** Returns entries of a model file and, in addition, the class proportions or target means of the training rows. */
  public SortedMap<String, String> withBaseline(SortedMap<String, String> texts) {
    return Baseline.added(texts, this);
  }

  /** Returns the names of the text features in which most training rows have a different value, such as names or ids. */
  public List<String> nearlyUniqueFeatures() {
    return encoding.features().stream().filter(feature -> feature.inputs() > MAX_SINGLE_CATEGORIES
        && 2L * feature.inputs() > trainingRows.rows()).map(FeatureColumn::name).toList();
  }
}
