package dev.plumb.train;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Excerpt;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
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
 * @param normalization normalization of the hidden layers, before the activation
 * @param residual whether hidden layers with as many units as inputs add their input to their output
 * @param initializer distribution of the initial weights
 * @param loss the loss; empty for cross_entropy on classes and mse on numbers
 * @param weights weights of the rows in the loss
 * @param trainer optimizer, schedule and the other constants. Its precision is fp64 and its default loss mse: the training itself
 *     has the precision of the configuration and the loss of the task
 * @param calibrate whether the probabilities of the classes are calibrated after the training; see {@link Calibration}
 * @param precision the precision of parameters and computations
 * @param seed the seed of the random stream for split, initial weights and mini-batches, in this order; and of dropout
 * @param splitSeed the seed of a random stream of its own for the split; empty to draw the split from the stream of the seed
 * @param automatic the values that are chosen from the data, so that the ones here only stand for them
 */
public record TrainConfig(
    TextFormat format,
    EncodingOptions columns,
    double validation,
    List<Integer> hidden,
    Activation activation,
    Normalization normalization,
    boolean residual,
    Initializer initializer,
    Optional<Loss> loss,
    RowWeights weights,
    TrainerSpec trainer,
    boolean calibrate,
    Precision precision,
    long seed,
    OptionalLong splitSeed,
    Set<Automatic> automatic) {

  /** The default configuration, chosen by test scores on the tables of scripts/peers/tables.py. */
  public static final TrainConfig DEFAULT = new TrainConfig(TextFormat.DEFAULT, EncodingOptions.DEFAULT, 0.1, List.of(100, 100),
      Activation.RELU, Normalization.NONE, false, Initializer.PYTORCH, Optional.empty(), RowWeights.NONE,
      new TrainerSpec(TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT_W, 3e-3, 200).withBatchSize(32), Schedule.Cosine.DEFAULT, 0,
          true, 50), false, Precision.FP32, 42, OptionalLong.empty(), Automatic.ALL);

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
    requireSeed("seed", seed);
    splitSeed.ifPresent(value -> requireSeed("splitSeed", value));
    automatic = Set.copyOf(automatic);
    // The precision may still change, so the constants are checked in the widest before any data is read.
    trainer = adapted(trainer, loss.orElse(Loss.MSE), trainer.training().batchSize(), Precision.FP64, seed);
  }

  private static void requireSeed(String key, long seed) {
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException(key + " " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
  }

  /**
   * Checks that no constant becomes infinite or 0 in the precision of the training.
   *
   * @throws InvalidInputException when a constant does; the message begins with its key
   */
  public void requireInRange() {
    adapted(trainer, loss.orElse(Loss.MSE), trainer.training().batchSize(), precision, seed);
  }

  /** Returns a copy with some values changed: {@code config.with(c -> c.hidden(64, 64).seed(7))}. */
  public TrainConfig with(Consumer<Changes> changes) {
    Changes changed = new Changes(this);
    changes.accept(changed);
    return changed.config();
  }

  /** Returns the missing values because of which rows are dropped, for messages. */
  public String droppedBecauseOf() {
    return !columns.missing().fills() ? "missing values" : weights.column().isPresent() ? "missing targets or weights"
        : "missing targets";
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

  /**
   * Checks that the watched metric is one of a task.
   *
   * @throws InvalidInputException when it is not
   */
  void requireWatchFits(Task task) {
    trainer.watch().requireAppliesTo(task, "watch");
  }

  /**
   * Checks that a calibration is for a task.
   *
   * @throws InvalidInputException when it is not
   */
  void requireCalibrationFits(Task task) {
    if (calibrate && task != Task.CLASSIFICATION) {
      throw new InvalidInputException("calibrate is for classes, but the target has numbers; omit it");
    }
  }

  /** Returns the network for a number of inputs and outputs. */
  NetworkSpec network(int inputs, int outputs) {
    List<Integer> widths = new ArrayList<>(hidden);
    widths.add(0, inputs);
    widths.add(outputs);
    return new NetworkSpec(widths, activation, normalization, residual);
  }

  /** Returns the specification of a training on a number of rows. */
  TrainerSpec fit(Task task, int rows) {
    OptionalInt batchSize = trainer.training().batchSize();
    return adapted(trainer, loss(task),
        batchSize.isPresent() ? OptionalInt.of(Math.min(batchSize.getAsInt(), rows)) : batchSize, precision, seed);
  }

  /**
   * Returns a copy without automatic values. With batch normalization, the default batch size is raised where it would leave one
   * row for the last batch.
   *
   * @param rows number of training rows
   * @param hasValidation whether there are validation rows
   */
  TrainConfig forRows(int rows, boolean hasValidation) {
    OptionalInt defaultSize = DEFAULT.trainer.training().batchSize();
    return with(changes -> {
      if (normalization == Normalization.BATCH && changes.batchSize.equals(defaultSize)) {
        changes.batchSize(Automatic.batchSize(defaultSize.getAsInt(), rows));
      }
      if (automatic.contains(Automatic.EPOCHS)) {
        changes.epochs(Math.max(Automatic.epochs(rows), changes.warmUpEpochs));
      }
      if (automatic.contains(Automatic.WEIGHT_DECAY)) {
        double steps = (double) changes.epochs * Math.ceil(rows / (double) changes.batchSize.orElse(rows));
        changes.optimizer(changes.optimizer.withWeightDecay(Automatic.weightDecay(changes.learningRate, steps)));
      }
      if (automatic.contains(Automatic.EARLY_STOPPING) && !hasValidation) {
        changes.earlyStopping(0);
      }
      changes.automatic.clear();
    });
  }

  private static TrainerSpec adapted(TrainerSpec from, Loss loss, OptionalInt batchSize, Precision precision, long seed) {
    TrainingSpec spec = from.training();
    Optional<Dropout> dropout = spec.dropout().map(masks -> new Dropout(masks.probability(), seed));
    return new TrainerSpec(new TrainingSpec(loss, spec.optimizer(), spec.clipNorm(), spec.learningRate(), spec.epochs(), batchSize,
        precision, dropout), from.schedule(), from.warmUpEpochs(), from.shuffle(), from.patience(), from.watch());
  }

  /** A builder of changed configurations; see {@link TrainConfig#with}. */
  public static final class Changes {
    TextFormat format;
    EncodingOptions columns;
    double validation;
    List<Integer> hidden;
    Activation activation;
    Normalization normalization;
    boolean residual;
    Initializer initializer;
    Optional<Loss> loss;
    RowWeights weights;
    OptimizerSpec optimizer;
    double learningRate;
    Schedule schedule;
    int warmUpEpochs;
    int epochs;
    OptionalInt batchSize;
    boolean shuffle;
    OptionalDouble clipNorm;
    double dropout;
    int earlyStopping;
    Metric watch;
    boolean calibrate;
    Precision precision;
    long seed;
    OptionalLong splitSeed;
    Set<Automatic> automatic;

    Changes(TrainConfig from) {
      TrainingSpec spec = from.trainer.training();
      format = from.format;
      columns = from.columns;
      validation = from.validation;
      hidden = from.hidden;
      activation = from.activation;
      normalization = from.normalization;
      residual = from.residual;
      initializer = from.initializer;
      loss = from.loss;
      weights = from.weights;
      optimizer = spec.optimizer();
      learningRate = spec.learningRate();
      schedule = from.trainer.schedule();
      warmUpEpochs = from.trainer.warmUpEpochs();
      epochs = spec.epochs();
      batchSize = spec.batchSize();
      shuffle = from.trainer.shuffle();
      clipNorm = spec.clipNorm();
      dropout = spec.dropout().map(Dropout::probability).orElse(0.0);
      earlyStopping = from.trainer.patience();
      watch = from.trainer.watch();
      calibrate = from.calibrate;
      precision = from.precision;
      seed = from.seed;
      splitSeed = from.splitSeed;
      automatic = from.automatic.isEmpty() ? EnumSet.noneOf(Automatic.class)
          : EnumSet.copyOf(from.automatic);
    }

    TrainConfig config() {
      TrainingSpec spec = new TrainingSpec(loss.orElse(Loss.MSE), optimizer, clipNorm, learningRate, epochs, batchSize,
          Precision.FP64, dropout == 0 ? Optional.empty() : Optional.of(new Dropout(dropout, seed)));
      return new TrainConfig(format, columns, validation, hidden, activation, normalization, residual, initializer, loss, weights,
          new TrainerSpec(spec, schedule, warmUpEpochs, shuffle, earlyStopping, watch), calibrate, precision, seed, splitSeed,
          automatic);
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
      automatic.remove(Automatic.VALIDATION);
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

    public Changes normalization(Normalization value) {
      normalization = value;
      return this;
    }

    /** Sets whether hidden layers with as many units as inputs add their input to their output. */
    public Changes residual(boolean value) {
      residual = value;
      return this;
    }

    /** Makes a value automatic. Its own value only counts until it is chosen, so it becomes the default. */
    Changes automatic(Automatic value) {
      switch (value) {
        case VALIDATION -> validation = DEFAULT.validation;
        case EPOCHS -> epochs = Math.max(DEFAULT.trainer.training().epochs(), warmUpEpochs);
        case WEIGHT_DECAY -> { }
        case DROPOUT -> dropout = 0;
        case EARLY_STOPPING -> earlyStopping = DEFAULT.trainer.patience();
      }
      automatic.add(value);
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

    /** Sets the weights of the rows in the loss. Their column is not a feature, unless it is named as one. */
    public Changes weights(RowWeights value) {
      weights = value;
      return this;
    }

    public Changes optimizer(OptimizerSpec value) {
      optimizer = value;
      automatic.remove(Automatic.WEIGHT_DECAY);
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
      automatic.remove(Automatic.EPOCHS);
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
      automatic.remove(Automatic.DROPOUT);
      return this;
    }

    public Changes earlyStopping(int value) {
      earlyStopping = value;
      automatic.remove(Automatic.EARLY_STOPPING);
      return this;
    }

    /** Sets the metric that chooses the best epoch, and that early stopping watches. */
    public Changes watch(Metric value) {
      watch = value;
      return this;
    }

    /** Sets whether the probabilities of the classes are calibrated after the training, on rows that are held out. */
    public Changes calibrate(boolean value) {
      calibrate = value;
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

    public Changes splitSeed(long value) {
      splitSeed = OptionalLong.of(value);
      return this;
    }
  }
}
