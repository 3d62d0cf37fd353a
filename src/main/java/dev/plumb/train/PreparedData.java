package dev.plumb.train;

import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Split;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.random.NumpyRandom;
import java.util.List;
import java.util.Optional;

/**
 * A table prepared for a training. The random stream of the seed gives the split, the initial weights, and then the mini-batches
 * epoch by epoch, in this order: the same table and configuration always give the same training.
 *
 * @param config the configuration
 * @param columns the columns of the configuration, with all names and the task filled in
 * @param rows number of rows that are used
 * @param droppedRows number of rows that are dropped because a value is missing
 * @param encoding the encoding, fitted on the training rows only
 * @param network the network
 * @param fit the specification of the training
 * @param training the encoded training rows
 * @param validation the encoded validation rows; empty if none are held out
 * @param trainingRows the training rows as in the table
 * @param validationRows the validation rows as in the table; empty if none are held out
 * @param start the state before the first step
 */
public record PreparedData(
    TrainConfig config,
    EncodingOptions columns,
    int rows,
    int droppedRows,
    TableEncoding encoding,
    NetworkSpec network,
    TrainerSpec fit,
    Dataset training,
    Optional<Dataset> validation,
    Table trainingRows,
    Optional<Table> validationRows,
    TrainerState start) {

  /** Number of categories up to which a feature is not reported as nearly unique. */
  private static final int MAX_SINGLE_CATEGORIES = 10;
  /** Fewer validation rows are too few to choose an epoch by: none are held out then. */
  static final int MIN_VALIDATION = 30;

  /**
   * Prepares a table: splits it, fits the encoding, and draws the initial weights.
   *
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static PreparedData of(Table table, TrainConfig config) {
    EncodingOptions columns = config.columns().resolve(table);
    Task task = columns.task().orElseThrow();
    config.requireLossFits(task);
    Loss loss = config.loss(task);
    Table usable = columns.handleMissing(table);
    NumpyRandom stream = new NumpyRandom(config.seed());
    double share = Math.round(usable.rows() * config.validation()) < MIN_VALIDATION ? 0 : config.validation();
    Split split = Split.of(usable.rows(), share, stream, share == 0 ? null : columns.labels(usable));
    Table trainingRows = usable.rows(split.training());
    Optional<Table> validationRows = share == 0 ? Optional.empty() : Optional.of(usable.rows(split.validation()));
    TableEncoding fitted = TableEncoding.fit(trainingRows, columns);
    TableEncoding encoding = (columns.standardize() ? CommonScale.of(fitted) : fitted).withNaValues(config.format().naValues());
    NetworkSpec network = config.network(encoding.inputs(), encoding.outputs(loss));
    TrainerSpec fit = config.fit(task, trainingRows.rows());
    double[] parameters = config.initializer().draw(network, stream);
    return new PreparedData(config, columns, usable.rows(), table.rows() - usable.rows(), encoding, network, fit,
        encoding.encode(trainingRows, loss, config.precision()),
        validationRows.map(rows -> encoding.encode(rows, loss, config.precision())), trainingRows, validationRows,
        TrainerState.begin(fit, parameters, stream));
  }

  /** Returns the names of the text features in which most training rows have a different value, such as names or ids. */
  public List<String> nearlyUniqueFeatures() {
    return encoding.features().stream().filter(feature -> feature.inputs() > MAX_SINGLE_CATEGORIES
        && 2L * feature.inputs() > trainingRows.rows()).map(FeatureColumn::name).toList();
  }

  /**
   * Checks that a state can be one of this training.
   *
   * @throws InvalidInputException when it cannot; the message says what does not fit
   */
  public void requireOwn(TrainerState state) {
    int parameters = start.parameters().length;
    requireCount("parameters", state.parameters().length, parameters);
    requireCount("first moments", state.moment1().length, start.moment1().length);
    requireCount("second moments", state.moment2().length, start.moment2().length);
    requireCount("best parameters", state.best().length, state.bestEpoch() > 0 ? parameters : 0);
    for (int i = 0; i < state.epochs(); i++) {
      requireCount("gradient norms of epoch " + (i + 1), state.history().get(i).gradientNorms().length, network.layerCount());
      if (state.history().get(i).epoch() != i + 1) {
        throw misfit("epoch " + state.history().get(i).epoch() + " comes after " + i + " others");
      }
    }
    if (state.epochs() > fit.training().epochs()) {
      throw misfit("it has " + state.epochs() + " of " + fit.training().epochs() + " epochs");
    }
    if (state.bestEpoch() > state.epochs()) {
      throw misfit("the best epoch is " + state.bestEpoch() + " of " + state.epochs());
    }
    int steps = new BatchOrder(training.rows(), fit.training().batchSize(), false, null).stepsPerEpoch();
    if (state.stepInEpoch() > steps || state.stepsTaken() != (long) steps * state.epochs() + state.stepInEpoch()) {
      throw misfit("it has taken " + state.stepsTaken() + " steps, " + state.stepInEpoch() + " of them in epoch "
          + (state.epochs() + 1) + ", but an epoch has " + steps);
    }
  }

  private static void requireCount(String what, int count, int needed) {
    if (count != needed) {
      throw misfit("it has " + count + " " + what + ", but " + needed + " are needed");
    }
  }

  private static InvalidInputException misfit(String what) {
    return new InvalidInputException("is no checkpoint of this training: " + what);
  }

  /** Returns the loss of the training. */
  public Loss loss() {
    return fit.training().loss();
  }
}
