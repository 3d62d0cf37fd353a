package dev.plumb.train;

import dev.plumb.data.Dataset;
import dev.plumb.data.EncodedRows;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Split;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetLeaks;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * The view that a training has of a table: its split and encoded rows. Several networks can be trained on one view.
 *
 * @param columnNames the names of all columns of the table
 * @param columns the columns of the configuration, with all names and the task filled in
 * @param rows number of rows that are used
 * @param droppedRows number of rows that are dropped because a value is missing
 * @param encoding the encoding, fitted on the training rows only
 * @param loss the loss that the targets are encoded for
 * @param training the encoded training rows
 * @param validation the encoded validation rows; empty if none are held out
 * @param held the precision in which features are held
 * @param trainingRows the training rows as in the table; of a released table, only the columns of targets and weights
 * @param validationRows the validation rows likewise; empty if none are held out
 * @param findings notes that need the features of the table
 */
public record DataView(
    List<String> columnNames,
    EncodingOptions columns,
    int rows,
    int droppedRows,
    TableEncoding encoding,
    Loss loss,
    Dataset training,
    Optional<Dataset> validation,
    Precision held,
    Table trainingRows,
    Optional<Table> validationRows,
    Findings findings) {

  /**
   * Findings in the features of a table; empty for a table that is not released, whose features are still there.
   *
   * @param leaks names of the features that determine a target exactly
   * @param missing number of missing values of the training rows per feature, if they are filled in
   * @param unknownCategories number of validation rows per feature whose category did not occur in the training rows
   * @param unknownInTraining number of training rows per feature whose category the model to start from does not know
   * @param replaced number of missing values of the validation rows per feature that are replaced and not marked
   */
  public record Findings(List<String> leaks, Map<String, Integer> missing, Map<String, Integer> unknownCategories,
      Map<String, Integer> unknownInTraining, Map<String, Integer> replaced) {
    static final Findings NONE = new Findings(List.of(), Map.of(), Map.of(), Map.of(), Map.of());

    private static Findings of(Table training, Optional<Table> validation, TableEncoding encoding, EncodingOptions columns,
        boolean isWarmStart) {
      return new Findings(TargetLeaks.find(training, columns),
          columns.missing().fills() ? training.missing(columns.features()) : Map.of(),
          validation.map(encoding::unknownCategories).orElse(Map.of()),
          isWarmStart ? encoding.unknownCategories(training) : Map.of(), validation.map(encoding::replaced).orElse(Map.of()));
    }
  }

  /** Number of categories up to which a feature is not reported as nearly unique. */
  private static final int MAX_SINGLE_CATEGORIES = 10;
  /** Fewer validation rows are too few to choose an epoch by: none are held out then. */
  private static final int MIN_VALIDATION = 30;

  /**
   * Splits a table and encodes its rows, with features in double.
   *
   * @param splitStream the random stream that the split is drawn from
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static DataView of(Table table, TrainConfig config, NumpyRandom splitStream) {
    return of(table, config, splitStream, Optional.empty(), Precision.FP64, false);
  }

  /**
   * Splits a table and encodes its rows.
   *
   * @param splitStream the random stream that the split is drawn from
   * @param from the model whose encoding is used, for a warm start; otherwise one is fitted
   * @param held the precision in which features are held
   * @param releases whether the memory of the table is released, which must not be used afterwards
   * @throws InvalidInputException when the table does not suit the configuration
   */
  static DataView of(Table table, TrainConfig config, NumpyRandom splitStream, Optional<WarmStart> from, Precision held,
      boolean releases) {
    RowWeights weights = config.weights();
    EncodingOptions columns = weights.resolve(table, config.columns());
    Task task = columns.task().orElseThrow();
    config.requireLossFits(task);
    config.requireWatchFits(task);
    config.requireCalibrationFits(task);
    Loss loss = config.loss(task);
    Table usable = columns.handleMissing(table, weights);
    double share = Math.round(usable.rows() * config.validation()) < MIN_VALIDATION ? 0 : config.validation();
    Split split = Split.of(usable.rows(), share, splitStream, share == 0 ? null : columns.labels(usable));
    Table trainingRows = usable.rows(split.training());
    Optional<Table> validationRows = share == 0 ? Optional.empty() : Optional.of(usable.rows(split.validation()));
    TableEncoding fitted = TableEncoding.fit(trainingRows, columns);
    TableEncoding chosen = from.isPresent() ? from.get().encoding(fitted)
        : columns.standardize() ? PixelScale.of(fitted, trainingRows) : fitted;
    TableEncoding encoding = chosen.withNaValues(config.format().naValues());
    int droppedRows = table.rows() - usable.rows();
    if (!releases) {
      return new DataView(table.names(), columns, usable.rows(), droppedRows, encoding, loss,
          weights.apply(encoding.encode(trainingRows, loss, config.precision(), held), trainingRows, encoding, trainingRows),
          validationRows.map(
              rows -> weights.apply(encoding.encode(rows, loss, config.precision(), held), rows, encoding, trainingRows)),
          held, trainingRows, validationRows, Findings.NONE);
    }
    Findings findings = Findings.of(trainingRows, validationRows, encoding, columns, from.isPresent());
    List<Table> parts = Stream.concat(Stream.of(trainingRows), validationRows.stream()).toList();
    List<EncodedRows> encoded = encoding.encodeAndRelease(
        parts, weights.column().map(Set::of).orElse(Set.of()), loss, config.precision(), held);
    Table kept = encoded.get(0).table();
    List<Dataset> weighted = encoded.stream().map(part -> weights.apply(part.rows(), part.table(), encoding, kept)).toList();
    return new DataView(table.names(), columns, usable.rows(), droppedRows, encoding, loss, weighted.get(0),
        weighted.stream().skip(1).findFirst(), held, kept, encoded.stream().skip(1).map(EncodedRows::table).findFirst(), findings);
  }

  /**
   * Encodes other rows with their weights, as the training rows were.
   *
   * @throws InvalidInputException when the rows lack what the training rows had
   */
  Dataset encode(Table other, TrainConfig config) {
    return config.weights().apply(encoding.encode(other, loss, config.precision(), held), other, encoding, trainingRows);
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
