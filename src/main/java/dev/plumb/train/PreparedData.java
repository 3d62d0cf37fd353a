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
 * A table made ready for a training. The seed's stream gives, in this order, the split, the first weights and then epoch by epoch
 * the batches, so that the same table and configuration always come to the same.
 *
 * @param columns with all names and the task filled in
 * @param rows of the table that are used
 * @param droppedRows of the table that are left out because a value is missing
 * @param encoding learned from the training rows only
 * @param trainingRows as they are in the table
 * @param validationRows likewise; empty where none are held back
 * @param start where the training begins
 */
public record PreparedData(
    TrainConfig config,
    EncodingOptions columns,
    int rows,
    int droppedRows,
    TableEncoding encoding,
    NetworkSpec network,
    FitSpec fit,
    Dataset training,
    Optional<Dataset> validation,
    Table trainingRows,
    Optional<Table> validationRows,
    FitState start) {

  /** So many categories may have a single row each. */
  private static final int MAX_SINGLE_CATEGORIES = 10;
  /** Fewer rows than this say too little of an epoch to choose one by them: all are trained on. */
  static final int MIN_VALIDATION = 30;

  /** @throws dev.plumb.model.InvalidInputException when the table cannot be learnt from in this way */
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
    FitSpec fit = config.fit(task, trainingRows.rows());
    double[] parameters = config.initializer().draw(network, stream);
    return new PreparedData(config, columns, usable.rows(), table.rows() - usable.rows(), encoding, network, fit, encoding.encode(trainingRows, loss, config.precision()),
        validationRows.map(rows -> encoding.encode(rows, loss, config.precision())), trainingRows, validationRows,
        FitState.begin(fit, parameters, stream));
  }

  /** The text columns among the features in which most training rows have a value of their own, such as names or ids. */
  public List<String> nearlyUniqueFeatures() {
    return encoding.features().stream().filter(feature -> feature.inputs() > MAX_SINGLE_CATEGORIES
        && 2L * feature.inputs() > trainingRows.rows()).map(FeatureColumn::name).toList();
  }

  /**
   * Refuses a state that this training cannot have come to.
   *
   * @throws InvalidInputException naming what does not fit
   */
  public void requireOwn(FitState state) {
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

  public Loss loss() {
    return fit.training().loss();
  }
}
