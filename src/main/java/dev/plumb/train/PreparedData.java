package dev.plumb.train;

import dev.plumb.data.BatchOrder;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.TrainedModel;
import java.util.Optional;
import java.util.SortedMap;

/**
 * A table prepared for a training. The random stream of the seed gives the split (unless the split has a seed of its own), the
 * initial weights, and then the mini-batches epoch by epoch, in this order: the same table and configuration always give the same
 * training.
 *
 * @param config the configuration, without automatic values
 * @param view the split and encoded rows
 * @param network the network
 * @param fit the specification of the training
 * @param start the state before the first step
 */
public record PreparedData(TrainConfig config, DataView view, NetworkSpec network, TrainerSpec fit, TrainerState start) {
  /**
   * Prepares a table for any backend: splits it, fits the encoding, and draws the initial weights. Features are held in double.
   *
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static PreparedData of(Table table, TrainConfig config) {
    return of(table, config, Precision.FP64);
  }

  /**
   * Prepares a table for a backend.
   *
   * @param held the precision in which features are held; see {@link dev.plumb.backend.Backend#dataPrecision}
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static PreparedData of(Table table, TrainConfig config, Precision held) {
    return of(table, config, Optional.empty(), held);
  }

  /**
   * Prepares a table for a backend and, if there is a model to start from, with its encoding and parameters.
   *
   * @param config the configuration; that of {@link WarmStart#configured} for a model to start from
   * @param held the precision in which features are held
   * @throws InvalidInputException when the table does not suit the configuration
   */
  public static PreparedData of(Table table, TrainConfig config, Optional<WarmStart> from, Precision held) {
    return of(table, config, from, held, false);
  }

  /** Prepares a table for a backend as {@link #of} does, and releases its memory: it must not be used afterwards. */
  static PreparedData ofReleased(Table table, TrainConfig config, Optional<WarmStart> from, Precision held) {
    return of(table, config, from, held, true);
  }

  private static PreparedData of(
      Table table, TrainConfig config, Optional<WarmStart> from, Precision held, boolean releases) {
    NumpyRandom stream = new NumpyRandom(config.seed());
    NumpyRandom splitStream = config.splitSeed().isPresent() ? new NumpyRandom(config.splitSeed().getAsLong()) : stream;
    return of(DataView.of(table, config, splitStream, from, held, releases), config, from, stream);
  }

  /**
   * Prepares a view whose split had a seed of its own: the stream of the configuration's seed begins with the initial weights.
   *
   * @param config the configuration, whose loss, columns and precision are those of the view
   * @throws IllegalArgumentException when its loss is not that of the view
   */
  public static PreparedData of(DataView view, TrainConfig config) {
    return of(view, config, Optional.empty(), new NumpyRandom(config.seed()));
  }

  private static PreparedData of(DataView view, TrainConfig config, Optional<WarmStart> from, NumpyRandom stream) {
    Loss loss = config.loss(view.encoding().task());
    if (loss != view.loss()) {
      throw new IllegalArgumentException("the rows are encoded for loss " + view.loss().key() + ", not for " + loss.key());
    }
    TrainConfig concrete = config.forRows(view.training().rows(), view.validation().isPresent());
    NetworkSpec network = config.network(view.encoding().inputs(), view.encoding().outputs(loss));
    TrainerSpec fit = concrete.fit(view.encoding().task(), view.training().rows());
    // Drawn for a warm start too, so that the stream of the batches is the same.
    double[] drawn = config.initializer().draw(network, stream);
    double[] parameters = from.isPresent() ? from.get().parameters(network, view.encoding(), loss, drawn) : drawn;
    return new PreparedData(concrete, view, network, fit, TrainerState.begin(fit, parameters, stream));
  }

  /** Returns the metric that is reported next to the loss: the watched one, or accuracy or R² if the loss is watched. */
  public Metric metric() {
    return fit.watch() != Metric.LOSS ? fit.watch()
        : Metric.main(view.encoding().task());
  }

  /**
   * Returns a model of the network with some parameters.
   *
   * @param parameters [ParameterLayout.size()], not copied
   * @param texts origin of the model
   */
  TrainedModel model(double[] parameters, SortedMap<String, String> texts) {
    return new TrainedModel(network, view.loss(), config.precision(), view.encoding(), parameters, view.withBaseline(texts));
  }

  /**
   * Checks that every batch has enough rows for the network.
   *
   * @throws InvalidInputException when one has not
   */
  public void requireFits() {
    fit.training().requireFits(network, view.training().rows());
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
    int steps = new BatchOrder(view.training().rows(), fit.training().batchSize(), false, null).stepsPerEpoch();
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
}
