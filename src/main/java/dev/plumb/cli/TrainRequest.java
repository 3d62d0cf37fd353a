package dev.plumb.cli;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.commons.cli.Option;

/**
 * What {@code plumb train} is asked to do.
 *
 * @param name of the run folder, without its number
 */
record TrainRequest(Path data, ReadOptions read, Optional<Path> test, TrainConfig config, String name, Path runs) {
  /** All that decides what comes out; a run that goes on has its own. */
  static final List<Option> FIXED = List.of(Flags.TARGET, Flags.FEATURES, Flags.CATEGORICAL, Flags.TASK, Flags.MISSING,
      Flags.NO_STANDARDIZE, Flags.HEADER, Flags.DELIMITER, Flags.NA_VALUES, Flags.LABELS, Flags.VALIDATION, Flags.TEST,
      Flags.meaning(Flags.LAYERS, "N,N,...|none", "Widths of the hidden layers (default: " + layers(TrainConfig.DEFAULT) + ")."),
      Flags.withDefault(Flags.ACTIVATION, NamedEnum.keys(Activation.class), TrainConfig.DEFAULT.activation().key()),
      Flags.withDefault(Flags.INITIALIZER, NamedEnum.keys(Initializer.class), TrainConfig.DEFAULT.initializer().key()),
      Flags.withDefault(Flags.LOSS, NamedEnum.keys(Loss.class), "cross_entropy for classes, mse for numbers"),
      Flags.withDefault(Flags.OPTIMIZER, NamedEnum.keys(OptimizerSpec.Kind.class), TrainConfig.DEFAULT.optimizer().kind().key()),
      Flags.meaning(Flags.LEARNING_RATE, "RATE", "Learning rate (default: " + TrainConfig.DEFAULT.learningRate() + ")."),
      Flags.SCHEDULE, Flags.WARM_UP, Flags.EPOCHS, Flags.BATCH_SIZE, Flags.MOMENTUM, Flags.WEIGHT_DECAY, Flags.CLIP_NORM,
      Flags.DROPOUT, Flags.EARLY_STOPPING,
      Flags.precision("fp32; fp64 on the reference"),
      Flags.meaning(Flags.SEED, "N", "Random seed for the split, the initial weights, the batches and dropout (default: "
          + TrainConfig.DEFAULT.seed() + ")."),
      Flags.CONFIG, Flags.PRINT_CONFIG, Flags.NAME, Flags.RUNS);

  /** The options of those constants whose range depends on the precision. */
  private static final Map<String, Option> OF_KEYS = Map.of("learningRate", Flags.LEARNING_RATE, "clipNorm", Flags.CLIP_NORM,
      "weightDecay", Flags.WEIGHT_DECAY, "momentum", Flags.MOMENTUM);

  private static final String ALL = "all";
  private static final String NONE = "none";

  /** @param folder that paths are relative to; empty for the working folder */
  static TrainRequest of(Arguments arguments, Optional<TrainConfig> settled, Path folder) {
    Path data = folder.resolve(arguments.operandPaths("DATA").get(0));
    TrainConfig config = settled.orElseGet(() -> config(arguments));
    ReadOptions read = ReadOptions.DEFAULT.withFormat(config.format()).withTextColumns(Set.copyOf(config.columns().categorical()));
    Optional<Path> labels = arguments.path(Flags.LABELS).map(folder::resolve);
    String name = arguments.text(Flags.NAME).orElse(stem(data));
    return new TrainRequest(data, labels.map(read::withLabels).orElse(read), arguments.path(Flags.TEST).map(folder::resolve),
        config, name,
        arguments.path(Flags.RUNS).map(folder::resolve).orElse(folder.resolve("runs")));
  }

  TrainRequest withConfig(TrainConfig other) {
    return new TrainRequest(data, read, test, other, name, runs);
  }

  /** What the config file says, or the defaults, and over that what the options say. */
  static TrainConfig config(Arguments arguments) {
    TrainConfig from = arguments.path(Flags.CONFIG).map(TrainConfigJson::read).orElse(TrainConfig.DEFAULT);
    EncodingOptions columns = columns(arguments, from.columns());
    OptimizerSpec optimizer = optimizer(arguments, from.optimizer());
    Schedule schedule = arguments.has(Flags.SCHEDULE)
        ? schedule(arguments.parsed(Flags.SCHEDULE, "", Schedule.Kind::of), from.schedule()) : from.schedule();
    TextFormat format = DataOptions.format(arguments, from.format());
    TrainConfig config = from.with(changes -> changes.format(format).columns(columns).optimizer(optimizer));
    config = one(arguments, Flags.VALIDATION, config, c -> c.validation(arguments.number(Flags.VALIDATION, 0)));
    config = one(arguments, Flags.LAYERS, config, c -> c.hidden(hidden(arguments)));
    config = one(arguments, Flags.ACTIVATION, config, c -> c.activation(Activation.of(arguments.text(Flags.ACTIVATION).get())));
    config = one(arguments, Flags.INITIALIZER, config,
        c -> c.initializer(Initializer.of(arguments.text(Flags.INITIALIZER).get())));
    config = one(arguments, Flags.LOSS, config, c -> c.loss(Loss.of(arguments.text(Flags.LOSS).get())));
    config = one(arguments, Flags.LEARNING_RATE, config, c -> c.learningRate(arguments.number(Flags.LEARNING_RATE, 0)));
    int epochs = arguments.integer(Flags.EPOCHS, config.epochs(), 1);
    int warmUp = arguments.integer(Flags.WARM_UP, config.warmUpEpochs(), 0);
    config = one(arguments, arguments.has(Flags.WARM_UP) ? Flags.WARM_UP : Flags.EPOCHS, config,
        c -> c.epochs(epochs).warmUpEpochs(warmUp).schedule(schedule));
    config = config.with(c -> c.schedule(schedule));
    config = one(arguments, Flags.BATCH_SIZE, config, c -> c.batchSize(batchSize(arguments)));
    config = one(arguments, Flags.CLIP_NORM, config, c -> c.clipNorm(arguments.number(Flags.CLIP_NORM, 0)));
    config = one(arguments, Flags.DROPOUT, config, c -> c.dropout(arguments.number(Flags.DROPOUT, 0)));
    config = one(arguments, Flags.EARLY_STOPPING, config, c -> c.earlyStopping(arguments.integer(Flags.EARLY_STOPPING, 0, 0)));
    config = one(arguments, Flags.PRECISION, config, c -> c.precision(Precision.of(arguments.text(Flags.PRECISION).get())));
    return one(arguments, Flags.SEED, config, c -> c.seed(arguments.whole(Flags.SEED, 0, 0, NumpyRandom.MAX_SEED)));
  }

  /** Refuses constants that the precision has no numbers for, by the name of the option that they are from. */
  static void requireInRange(TrainConfig config, Arguments arguments) {
    try {
      config.requireInRange();
    } catch (InvalidInputException e) {
      Option option = OF_KEYS.get(e.getMessage().split(" ", 2)[0]);
      throw option != null && arguments.has(option) ? e.at("--" + option.getLongOpt()) : e;
    }
  }

  /** Changes the configuration where the option is given; what is refused gets the option's name before it. */
  private static TrainConfig one(Arguments arguments, Option option, TrainConfig config,
      Consumer<TrainConfig.Changes> change) {
    return arguments.has(option) ? arguments.at(option, () -> config.with(change)) : config;
  }

  private static EncodingOptions columns(Arguments arguments, EncodingOptions from) {
    return arguments.at(arguments.has(Flags.TARGET) ? Flags.TARGET : Flags.FEATURES, () -> new EncodingOptions(
        arguments.has(Flags.TARGET) ? arguments.words(Flags.TARGET) : from.targets(),
        arguments.has(Flags.FEATURES) ? arguments.words(Flags.FEATURES) : from.features(),
        arguments.has(Flags.CATEGORICAL) ? arguments.words(Flags.CATEGORICAL) : from.categorical(),
        arguments.has(Flags.TASK)
            ? Optional.of(arguments.parsed(Flags.TASK, "", word -> NamedEnum.parse(Task.class, "task", word))) : from.task(),
        from.standardize() && !arguments.has(Flags.NO_STANDARDIZE),
        arguments.has(Flags.MISSING)
            ? arguments.parsed(Flags.MISSING, "", word -> NamedEnum.parse(Missing.class, "mode for missing values", word))
            : from.missing()));
  }

  private static OptimizerSpec optimizer(Arguments arguments, OptimizerSpec from) {
    OptimizerSpec optimizer = from;
    if (arguments.has(Flags.OPTIMIZER)) {
      OptimizerSpec.Kind kind = arguments.parsed(Flags.OPTIMIZER, "", OptimizerSpec.Kind::of);
      // The constants of a config file stay where it names the same optimizer.
      optimizer = kind == from.kind() ? from : OptimizerSpec.defaultOf(kind);
    }
    if (arguments.has(Flags.MOMENTUM)) {
      if (!(optimizer instanceof OptimizerSpec.Sgd sgd)) {
        throw new InvalidInputException("--momentum: applies only to sgd, not to optimizer " + optimizer.kind().key()
            + "; use --optimizer sgd or omit the option");
      }
      optimizer = arguments.at(Flags.MOMENTUM, () ->
          new OptimizerSpec.Sgd(arguments.number(Flags.MOMENTUM, 0), sgd.nesterov(), sgd.weightDecay()));
    }
    OptimizerSpec without = optimizer;
    return arguments.has(Flags.WEIGHT_DECAY)
        ? arguments.at(Flags.WEIGHT_DECAY, () -> without.withWeightDecay(arguments.number(Flags.WEIGHT_DECAY, 0))) : optimizer;
  }

  /** The constants of a config file stay where it names the same schedule. */
  private static Schedule schedule(Schedule.Kind kind, Schedule from) {
    return kind == from.kind() ? from : Schedule.defaultOf(kind);
  }

  private static List<Integer> hidden(Arguments arguments) {
    return arguments.text(Flags.LAYERS).orElseThrow().equals(NONE) ? List.of() : arguments.integers(Flags.LAYERS, List.of());
  }

  private static OptionalInt batchSize(Arguments arguments) {
    return arguments.text(Flags.BATCH_SIZE).orElseThrow().equals(ALL)
        ? OptionalInt.empty() : OptionalInt.of(arguments.integer(Flags.BATCH_SIZE, 1, 1));
  }

  private static String layers(TrainConfig config) {
    return String.join(",", config.hidden().stream().map(String::valueOf).toList());
  }

  /** A file's name without its endings: iris for data/iris.csv.gz. */
  private static String stem(Path file) {
    Path last = file.getFileName();
    return last == null ? "run" : last.toString().replaceFirst("(\\.(csv|tsv|txt|data|npy|npz|idx|ubyte|gz))+$", "");
  }
}
