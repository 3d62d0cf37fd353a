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
 * The configuration of a training: everything but the table. {@link #DEFAULT} gives a good model on many small tables; the
 * command line, JSON files and the library all start from it. Change it by {@link #with}.
 *
 * @param format the format of the text file that the table is read from; what is not set is inferred from the content. Of a table
 *     that is already read, only the words for missing values matter: the model keeps them
 * @param columns the target and feature columns, and how they are encoded
 * @param validation the share of the rows that is held out to choose the best epoch; 0 for none
 * @param hidden number of units of each hidden layer, from the inputs to the outputs; empty for a linear model
 * @param activation activation function of the hidden layers
 * @param initializer distribution of the initial weights
 * @param loss the loss; empty for cross_entropy on classes and mse on numbers
 * @param optimizer the optimizer with its constants
 * @param learningRate the learning rate before schedule and warm-up
 * @param schedule the learning-rate schedule
 * @param warmUpEpochs number of epochs over which the learning rate rises from 0
 * @param epochs maximum number of epochs
 * @param batchSize rows per mini-batch, or all rows if there are fewer; empty for full-batch training
 * @param shuffle true to draw new mini-batches in every epoch
 * @param clipNorm maximum norm of the gradients over all parameters; empty for no clipping
 * @param dropout the probability that a hidden unit is dropped in a step
 * @param earlyStopping number of epochs without a lower loss after which the training ends; 0 for never
 * @param precision the precision of parameters and computations
 * @param seed the seed of the random stream for split, initial weights and mini-batches, in this order; and of dropout
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
   * The default configuration, chosen on five small tables by scripts/peers/sklearn_tables.py: tanh with a falling learning rate
   * is about as accurate there as relu with dropout, and more accurate on the smallest.
   */
  public static final TrainConfig DEFAULT = new TrainConfig(TextFormat.DEFAULT, EncodingOptions.DEFAULT, 0.1, List.of(100),
      Activation.TANH, Initializer.PYTORCH, Optional.empty(), OptimizerSpec.Adam.DEFAULT, 3e-3, Schedule.Cosine.DEFAULT, 0, 200,
      OptionalInt.of(32), true, OptionalDouble.empty(), 0, 50, Precision.FP32, 42);

  public TrainConfig {
    if (!(validation >= 0 && validation < 1)) {
      throw new InvalidInputException("validation " + validation + " must be at least 0 and below 1");
    }
    hidden = List.copyOf(hidden);
    for (int units : hidden) {
      if (units < 1) {
        throw new InvalidInputException("layers " + Excerpt.of(hidden.toString())
            + ": a layer of " + units + " units; at least 1 is needed");
      }
    }
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
    // Refuses what the specifications refuse before any data is read. The precision may still change, so the widest is checked.
    TrainingSpec training = training(loss.orElse(Loss.MSE), learningRate, optimizer, epochs, clipNorm, batchSize, dropout, seed,
        Precision.FP64);
    new TrainerSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  /**
   * Checks that no constant becomes infinite or 0 in the precision of the training.
   *
   * @throws InvalidInputException when a constant does; the message begins with its key
   */
  public void requireInRange() {
    TrainingSpec training = training(loss.orElse(Loss.MSE), learningRate, optimizer, epochs, clipNorm, batchSize, dropout, seed,
        precision);
    new TrainerSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  /** Returns a copy with some values changed: {@code config.with(c -> c.hidden(64, 64).seed(7))}. */
  public TrainConfig with(Consumer<Changes> changes) {
    Changes changed = new Changes(this);
    changes.accept(changed);
    return changed.config();
  }

  /** Returns the configured loss, or the default loss of a task. */
  Loss loss(Task task) {
    return loss.orElse(task == Task.CLASSIFICATION ? Loss.CROSS_ENTROPY : Loss.MSE);
  }

  /**
   * Checks that the configured loss is for a task.
   *
   * @throws InvalidInputException when it is not
   */
  void requireLossFits(Task task) {
    if (loss.isPresent() && loss.get().isClassification() != (task == Task.CLASSIFICATION)) {
      throw new InvalidInputException("loss " + loss.get().key() + " is for "
          + (task == Task.CLASSIFICATION ? "numbers, but the target has classes; use cross_entropy"
              : "classes, but the target has numbers; use mse, mae or huber") + ", or say which task it is");
    }
  }

  /** Returns the network for a number of inputs and outputs. */
  NetworkSpec network(int inputs, int outputs) {
    List<Integer> widths = new ArrayList<>(hidden);
    widths.add(0, inputs);
    widths.add(outputs);
    return new NetworkSpec(widths, activation);
  }

  /** Returns the specification of a training on a number of rows. */
  TrainerSpec fit(Task task, int rows) {
    OptionalInt batch = batchSize.isPresent() ? OptionalInt.of(Math.min(batchSize.getAsInt(), rows)) : batchSize;
    TrainingSpec training =
        training(loss(task), learningRate, optimizer, epochs, clipNorm, batch, dropout, seed, precision);
    return new TrainerSpec(training, schedule, warmUpEpochs, shuffle, earlyStopping);
  }

  private static TrainingSpec training(Loss loss, double learningRate, OptimizerSpec optimizer, int epochs,
      OptionalDouble clipNorm, OptionalInt batchSize, double dropout, long seed, Precision precision) {
    Dropout masks = new Dropout(dropout, seed);
    TrainingSpec training =
        new TrainingSpec(loss, optimizer, clipNorm, learningRate, epochs, batchSize, precision, Optional.empty());
    return dropout > 0 ? training.withDropout(masks) : training;
  }

  /** A builder of changed configurations; see {@link TrainConfig#with}. */
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
      return new TrainConfig(format, columns, validation, hidden, activation, initializer, loss, optimizer, learningRate,
          schedule, warmUpEpochs, epochs, batchSize, shuffle, clipNorm, dropout, earlyStopping, precision, seed);
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
