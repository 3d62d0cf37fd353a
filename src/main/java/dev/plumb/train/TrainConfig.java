package dev.plumb.train;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Excerpt;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * All that decides a training on a table, besides the table. {@link #DEFAULT} is meant to give a good model on a small table; the
 * command line, JSON files and the library all start from it.
 *
 * @param format of the text file that the table is read from, as far as it is not found out from the content; it does not matter to
 *     a table that was read already, other than for the words that stand for missing values, which the model keeps
 * @param columns what is learned from what
 * @param validation the share of the rows that is held back, to choose the best epoch by; 0 for none
 * @param hidden units of each hidden layer, from the inputs; none for a linear model
 * @param activation of the hidden layers
 * @param loss empty for cross_entropy on classes and mse on numbers
 * @param warmUpEpochs over which the learning rate rises from 0
 * @param epochs at most
 * @param batchSize rows of a step, all where there are fewer; empty for all rows at once
 * @param shuffle whether batches are drawn anew every epoch
 * @param clipNorm the largest norm of the gradients over all parameters; empty for any
 * @param dropout the probability of a hidden unit to be left out of a step
 * @param earlyStopping epochs without a lower loss after which it ends; 0 for never
 * @param seed of the one stream that gives the split, the first weights and the batches, in this order; and of dropout
 */
public record TrainConfig(
    TextFormat format,
    EncodingOptions columns,
    double validation,
    List<Integer> hidden,
    Activation activation,
    Initializer initializer,
    Optional<Loss> loss,
    OptimizerSpec optimizer,
    double learningRate,
    Schedule schedule,
    int warmUpEpochs,
    int epochs,
    OptionalInt batchSize,
    boolean shuffle,
    OptionalDouble clipNorm,
    double dropout,
    int earlyStopping,
    Precision precision,
    long seed) {

  /**
   * Chosen on five small tables by scripts/peers/sklearn_tables.py: tanh and a falling rate give much the same as relu with dropout
   * there, and do better on the smallest.
   */
  public static final TrainConfig DEFAULT = new TrainConfig(TextFormat.DEFAULT, EncodingOptions.DEFAULT, 0.1, List.of(100), Activation.TANH,
      Initializer.PYTORCH, Optional.empty(), OptimizerSpec.Adam.DEFAULT, 3e-3, Schedule.Cosine.DEFAULT, 0, 200,
      OptionalInt.of(32), true, OptionalDouble.empty(), 0, 50, Precision.FP32, 42);

  public TrainConfig {
    if (!(validation >= 0 && validation < 1)) {
      throw new InvalidInputException("validation " + validation + " must be at least 0 and below 1");
    }
    hidden = List.copyOf(hidden);
    for (int units : hidden) {
      if (units < 1) {
        throw new InvalidInputException("layers " + Excerpt.of(hidden.toString()) + ": a layer of " + units + " units; at least 1 is needed");
      }
    }
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
    // What the specifications refuse is refused here, before any data is read; the precision may still be changed.
    TrainingSpec training = training(loss.orElse(Loss.MSE), learningRate, optimizer, epochs, clipNorm, batchSize, dropout, seed,
        Precision.FP64);
    new FitSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  /**
   * Checks that no constant becomes infinite or 0 in the precision of the training.
   *
   * @throws InvalidInputException when one does; the message begins with its key
   */
  public void requireInRange() {
    TrainingSpec training = training(loss.orElse(Loss.MSE), learningRate, optimizer, epochs, clipNorm, batchSize, dropout, seed,
        precision);
    new FitSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  /** The same with some values changed: {@code config.with(c -> c.hidden(64, 64).seed(7))}. */
  public TrainConfig with(Consumer<Changes> changes) {
    Changes changed = new Changes(this);
    changes.accept(changed);
    return changed.config();
  }

  /** The loss for a task: the one that was asked for, or the usual one. */
  public Loss loss(Task task) {
    return loss.orElse(task == Task.CLASSIFICATION ? Loss.CROSS_ENTROPY : Loss.MSE);
  }

  /** @throws InvalidInputException when the loss that was asked for does not suit the task */
  public void requireLossFits(Task task) {
    if (loss.isPresent() && loss.get().isClassification() != (task == Task.CLASSIFICATION)) {
      throw new InvalidInputException("loss " + loss.get().key() + " is for "
          + (task == Task.CLASSIFICATION ? "numbers, but the target has classes; use cross_entropy"
              : "classes, but the target has numbers; use mse, mae or huber") + ", or say which task it is");
    }
  }

  /** The network between the inputs and outputs that a table asks for. */
  public NetworkSpec network(int inputs, int outputs) {
    List<Integer> widths = new ArrayList<>(hidden);
    widths.add(0, inputs);
    widths.add(outputs);
    return new NetworkSpec(widths, activation);
  }

  /** How it is fitted to that many rows. */
  public FitSpec fit(Task task, int rows) {
    OptionalInt batch = batchSize.isPresent() ? OptionalInt.of(Math.min(batchSize.getAsInt(), rows)) : batchSize;
    TrainingSpec training =
        training(loss(task), learningRate, optimizer, epochs, clipNorm, batch, dropout, seed, precision);
    return new FitSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  private static TrainingSpec training(Loss loss, double learningRate, OptimizerSpec optimizer, int epochs,
      OptionalDouble clipNorm, OptionalInt batchSize, double dropout, long seed, Precision precision) {
    Dropout masks = new Dropout(dropout, seed);
    TrainingSpec training =
        new TrainingSpec(loss, optimizer, clipNorm, learningRate, epochs, batchSize, precision, Optional.empty());
    return dropout > 0 ? training.withDropout(masks) : training;
  }

  /** A configuration while it is being changed. */
  public static final class Changes {
    private TextFormat format;
    private EncodingOptions columns;
    private double validation;
    private List<Integer> hidden;
    private Activation activation;
    private Initializer initializer;
    private Optional<Loss> loss;
    private OptimizerSpec optimizer;
    private double learningRate;
    private Schedule schedule;
    private int warmUpEpochs;
    private int epochs;
    private OptionalInt batchSize;
    private boolean shuffle;
    private OptionalDouble clipNorm;
    private double dropout;
    private int earlyStopping;
    private Precision precision;
    private long seed;

    private Changes(TrainConfig from) {
      format = from.format;
      columns = from.columns;
      validation = from.validation;
      hidden = from.hidden;
      activation = from.activation;
      initializer = from.initializer;
      loss = from.loss;
      optimizer = from.optimizer;
      learningRate = from.learningRate;
      schedule = from.schedule;
      warmUpEpochs = from.warmUpEpochs;
      epochs = from.epochs;
      batchSize = from.batchSize;
      shuffle = from.shuffle;
      clipNorm = from.clipNorm;
      dropout = from.dropout;
      earlyStopping = from.earlyStopping;
      precision = from.precision;
      seed = from.seed;
    }

    private TrainConfig config() {
      return new TrainConfig(format, columns, validation, hidden, activation, initializer, loss, optimizer, learningRate, schedule,
          warmUpEpochs, epochs, batchSize, shuffle, clipNorm, dropout, earlyStopping, precision, seed);
    }

    public Changes format(TextFormat value) {
      format = value;
      return this;
    }

    public Changes columns(EncodingOptions value) {
      columns = value;
      return this;
    }

    public Changes validation(double value) {
      validation = value;
      return this;
    }

    public Changes hidden(List<Integer> value) {
      hidden = value;
      return this;
    }

    public Changes hidden(Integer... units) {
      return hidden(List.of(units));
    }

    public Changes activation(Activation value) {
      activation = value;
      return this;
    }

    public Changes initializer(Initializer value) {
      initializer = value;
      return this;
    }

    public Changes loss(Loss value) {
      loss = Optional.of(value);
      return this;
    }

    public Changes optimizer(OptimizerSpec value) {
      optimizer = value;
      return this;
    }

    public Changes learningRate(double value) {
      learningRate = value;
      return this;
    }

    public Changes schedule(Schedule value) {
      schedule = value;
      return this;
    }

    public Changes warmUpEpochs(int value) {
      warmUpEpochs = value;
      return this;
    }

    public Changes epochs(int value) {
      epochs = value;
      return this;
    }

    public Changes batchSize(OptionalInt value) {
      batchSize = value;
      return this;
    }

    public Changes batchSize(int rows) {
      return batchSize(OptionalInt.of(rows));
    }

    public Changes shuffle(boolean value) {
      shuffle = value;
      return this;
    }

    public Changes clipNorm(double value) {
      clipNorm = OptionalDouble.of(value);
      return this;
    }

    public Changes dropout(double value) {
      dropout = value;
      return this;
    }

    public Changes earlyStopping(int value) {
      earlyStopping = value;
      return this;
    }

    public Changes precision(Precision value) {
      precision = value;
      return this;
    }

    public Changes seed(long value) {
      seed = value;
      return this;
    }
  }
}
