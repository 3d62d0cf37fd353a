package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.ClassWeights;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.TrainerSpec;
import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainingRequest;
import dev.plumb.train.WarmStart;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;

/** Parses the options of {@code plumb train} that determine its result. */
final class TrainRequest {
  /** Folder in which run folders are created. */
  static final String DEFAULT_RUNS = "runs";

  private static final TrainingSpec DEFAULTS = TrainConfig.DEFAULT.trainer().training();

  /** Options of the table and of the training, which studies on a table have too. */
  static final List<Option> CONFIGURATION = List.of(Flags.TARGET, Flags.FEATURES, Flags.EXCLUDE, Flags.CATEGORICAL, Flags.TASK,
      Flags.MISSING, Flags.NO_STANDARDIZE, Flags.HEADER, Flags.DELIMITER, Flags.NA_VALUES, Flags.LABELS, Flags.VALIDATION,
      Flags.SPLIT_SEED,
      Flags.meaning(Flags.LAYERS, "N,N,...|none", "Widths of the hidden layers (default: " + layers(TrainConfig.DEFAULT) + ")."),
      Flags.withDefault(Flags.ACTIVATION, NamedEnum.keys(Activation.class), TrainConfig.DEFAULT.activation().key()),
      Flags.NORMALIZATION, Flags.RESIDUAL, Flags.NO_RESIDUAL,
      Flags.withDefault(Flags.INITIALIZER, NamedEnum.keys(Initializer.class), TrainConfig.DEFAULT.initializer().key()),
      Flags.withDefault(Flags.LOSS, NamedEnum.keys(Loss.class), "cross_entropy for classes, mse for numbers"),
      Flags.withDefault(Flags.OPTIMIZER, NamedEnum.keys(OptimizerSpec.Kind.class), DEFAULTS.optimizer().kind().key()),
      Flags.meaning(Flags.LEARNING_RATE, "RATE", "Learning rate (default: " + DEFAULTS.learningRate() + ")."),
      Flags.SCHEDULE, Flags.WARM_UP, Flags.EPOCHS, Flags.BATCH_SIZE, Flags.MOMENTUM, Flags.WEIGHT_DECAY, Flags.CLIP_NORM,
      Flags.DROPOUT, Flags.EARLY_STOPPING, Flags.WATCH, Flags.WEIGHT, Flags.CLASS_WEIGHTS);

  /** Options that determine the result, and so cannot be changed when a run is resumed. */
  static final List<Option> FIXED = Stream.concat(CONFIGURATION.stream(), Stream.of(Flags.CALIBRATE, Flags.FROM, Flags.TEST,
      Flags.precision("fp32; fp64 on the reference"),
      Flags.meaning(Flags.SEED, "N", "Random seed for the split, the initial weights, the batches and dropout (default: "
          + TrainConfig.DEFAULT.seed() + ")."),
      Flags.CONFIG, Flags.PRINT_CONFIG, Flags.NAME, Flags.RUNS)).toList();

  /** Options whose valid range depends on the precision, by their key in the configuration. */
  private static final Map<String, Option> OPTIONS_BY_KEY = Map.of(
      "learningRate", Flags.LEARNING_RATE, "clipNorm", Flags.CLIP_NORM,
      "weightDecay", Flags.WEIGHT_DECAY, "momentum", Flags.MOMENTUM);

  /** Options for which a training has the values of the model that it starts from. */
  private static final List<Option> OF_MODEL = List.of(Flags.FEATURES, Flags.CATEGORICAL, Flags.LAYERS, Flags.ACTIVATION,
      Flags.NORMALIZATION, Flags.RESIDUAL, Flags.NO_RESIDUAL, Flags.NO_STANDARDIZE);

  private static final String ALL = "all";
  private static final String NONE = "none";

  private TrainRequest() {}

  /**
   * Reads a request from the command line.
   *
   * @param resolved the configuration of a run that is resumed; empty for a new run
   * @param folder the folder to which relative paths refer; empty for the working folder
   */
  static TrainingRequest of(Arguments arguments, Optional<TrainConfig> resolved, Path folder) {
    Path data = folder.resolve(arguments.operandPaths("DATA").get(0));
    Optional<WarmStart> from = arguments.path(Flags.FROM).map(folder::resolve).map(TrainRequest::warmStart);
    TrainConfig config = resolved.orElseGet(() -> effectiveConfig(arguments, from));
    ReadOptions read = ReadOptions.DEFAULT.withFormat(config.format()).withTextColumns(Set.copyOf(config.columns().categorical()));
    Optional<Path> labels = arguments.path(Flags.LABELS).map(folder::resolve);
    String name = arguments.text(Flags.NAME).orElse(stem(data));
    return new TrainingRequest(data, labels.map(read::withLabels).orElse(read),
        arguments.path(Flags.TEST).map(folder::resolve), from, config, name,
        arguments.path(Flags.RUNS).map(folder::resolve).orElse(folder.resolve(DEFAULT_RUNS)));
  }

  /**
   * Returns the configuration with the device's default precision, if none was chosen.
   *
   * @throws InvalidInputException when the device does not compute in the precision, or a constant is out of its range
   */
  static TrainConfig configFor(Backends.Selection device, TrainConfig config, Arguments arguments) {
    TrainConfig adapted = precisionFor(device, config, arguments);
    DeviceChoice.requirePrecision(device, adapted.precision());
    requireInRange(adapted, arguments);
    return adapted;
  }

  /** Returns the configuration in fp64 for the reference, which has no other precision, unless the user chose one. */
  private static TrainConfig precisionFor(Backends.Selection device, TrainConfig config, Arguments arguments) {
    boolean chosen = arguments.has(Flags.PRECISION) || arguments.has(Flags.CONFIG);
    return DeviceChoice.isReference(device) && !chosen ? config.with(changes -> changes.precision(Precision.FP64)) : config;
  }

  private static WarmStart warmStart(Path path) {
    return new WarmStart(ModelOperand.read(path), Optional.of(ModelOperand.file(path)));
  }

  /** Returns the configuration by the options, with the network of the model of --from. */
  static TrainConfig effectiveConfig(Arguments arguments) {
    return effectiveConfig(arguments, arguments.path(Flags.FROM).map(TrainRequest::warmStart));
  }

  private static TrainConfig effectiveConfig(Arguments arguments, Optional<WarmStart> from) {
    for (Option option : OF_MODEL) {
      if (from.isPresent() && arguments.has(option)) {
        throw new InvalidInputException("--" + option.getLongOpt() + ": with --from it is that of the model; omit the option");
      }
    }
    TrainConfig config = config(arguments);
    return from.isEmpty() ? config : arguments.at(Flags.FROM, () -> from.get().configured(config));
  }

  /** Returns the configuration from the --config file or the defaults, changed by the options. */
  static TrainConfig config(Arguments arguments) {
    return config(arguments,
        arguments.text(Flags.CONFIG).map(text -> configuration(text, arguments)).orElse(TrainConfig.DEFAULT));
  }

  /** Returns a configuration changed by the options. */
  static TrainConfig config(Arguments arguments, TrainConfig from) {
    TrainerSpec trainer = from.trainer();
    EncodingOptions columns = columns(arguments, from.columns());
    OptimizerSpec optimizer = optimizer(arguments, trainer.training().optimizer());
    Schedule schedule = arguments.has(Flags.SCHEDULE)
        ? schedule(arguments.parsed(Flags.SCHEDULE, "", Schedule.Kind::of), trainer.schedule()) : trainer.schedule();
    TextFormat format = DataOptions.format(arguments, from.format());
    TrainConfig config = from.with(changes -> changes.format(format).columns(columns));
    if (!optimizer.equals(trainer.training().optimizer()) || arguments.has(Flags.OPTIMIZER) || arguments.has(Flags.WEIGHT_DECAY)) {
      config = config.with(changes -> changes.optimizer(optimizer));
    }
    config = withOption(arguments, Flags.VALIDATION, config, c -> c.validation(arguments.number(Flags.VALIDATION, 0)));
    config = withOption(arguments, Flags.LAYERS, config, c -> c.hidden(hidden(arguments)));
    config = withOption(arguments, Flags.ACTIVATION, config,
        c -> c.activation(Activation.of(arguments.text(Flags.ACTIVATION).get())));
    config = withOption(arguments, Flags.NORMALIZATION, config,
        c -> c.normalization(Normalization.of(arguments.text(Flags.NORMALIZATION).get())));
    if (arguments.has(Flags.RESIDUAL) && arguments.has(Flags.NO_RESIDUAL)) {
      throw new InvalidInputException("--residual: contradicts --no-residual; omit one of them");
    }
    config = withOption(arguments, Flags.RESIDUAL, config, c -> c.residual(true));
    config = withOption(arguments, Flags.NO_RESIDUAL, config, c -> c.residual(false));
    config = withOption(arguments, Flags.INITIALIZER, config,
        c -> c.initializer(Initializer.of(arguments.text(Flags.INITIALIZER).get())));
    config = withOption(arguments, Flags.LOSS, config, c -> c.loss(Loss.of(arguments.text(Flags.LOSS).get())));
    config = withOption(arguments, Flags.LEARNING_RATE, config, c -> c.learningRate(arguments.number(Flags.LEARNING_RATE, 0)));
    config = config.with(c -> c.schedule(schedule));
    // Both at once: one is checked against the other.
    config = withOption(arguments, arguments.has(Flags.WARM_UP) ? Flags.WARM_UP : Flags.EPOCHS, config, c -> {
      if (arguments.has(Flags.EPOCHS)) {
        c.epochs(arguments.integer(Flags.EPOCHS, 1, 1));
      }
      c.warmUpEpochs(arguments.integer(Flags.WARM_UP, trainer.warmUpEpochs(), 0));
    });
    config = withOption(arguments, Flags.BATCH_SIZE, config, c -> c.batchSize(batchSize(arguments)));
    config = withOption(arguments, Flags.CLIP_NORM, config, c -> c.clipNorm(arguments.number(Flags.CLIP_NORM, 0)));
    config = withOption(arguments, Flags.DROPOUT, config, c -> c.dropout(arguments.number(Flags.DROPOUT, 0)));
    config = withOption(arguments, Flags.EARLY_STOPPING, config, c -> c.earlyStopping(arguments.integer(Flags.EARLY_STOPPING, 0,
        0)));
    RowWeights weights = weights(arguments, from.weights());
    config = config.with(c -> c.weights(weights));
    config = withOption(arguments, Flags.WATCH, config, c -> c.watch(Metric.of(arguments.text(Flags.WATCH).orElseThrow())));
    config = withOption(arguments, Flags.CALIBRATE, config, c -> c.calibrate(true));
    config = withOption(arguments, Flags.PRECISION, config,
        c -> c.precision(Precision.of(arguments.text(Flags.PRECISION).get())));
    config = withOption(arguments, Flags.SEED, config, c -> c.seed(seed(arguments, Flags.SEED)));
    return withOption(arguments, Flags.SPLIT_SEED, config, c -> c.splitSeed(seed(arguments, Flags.SPLIT_SEED)));
  }

  /** Reads the value of --config: a file, or JSON text. */
  private static TrainConfig configuration(String text, Arguments arguments) {
    return text.stripLeading().startsWith("{") ? arguments.at(Flags.CONFIG, () -> TrainConfigJson.parse(text))
        : TrainConfigJson.read(arguments.path(Flags.CONFIG).orElseThrow());
  }

  /** Returns weights changed by the options. */
  static RowWeights weights(Arguments arguments, RowWeights from) {
    Optional<ClassWeights> classes = arguments.has(Flags.CLASS_WEIGHTS)
        ? Optional.of(arguments.at(Flags.CLASS_WEIGHTS, () -> ClassWeights.parse(arguments.words(Flags.CLASS_WEIGHTS))))
        : from.classes();
    return new RowWeights(arguments.text(Flags.WEIGHT).or(from::column), classes);
  }

  private static long seed(Arguments arguments, Option option) {
    return arguments.integer(option, 0, 0, NumpyRandom.MAX_SEED);
  }

  /** Refuses constants outside the range of the precision; the message names their option. */
  static void requireInRange(TrainConfig config, Arguments arguments) {
    try {
      config.requireInRange();
    } catch (InvalidInputException e) {
      Option option = OPTIONS_BY_KEY.get(e.getMessage().split(" ", 2)[0]);
      throw option != null && arguments.has(option) ? e.at("--" + option.getLongOpt()) : e;
    }
  }

  /** Changes the configuration if the option is given; an error message starts with the option's name. */
  private static TrainConfig withOption(Arguments arguments, Option option, TrainConfig config,
      Consumer<TrainConfig.Changes> change) {
    return arguments.has(option) ? arguments.at(option, () -> config.with(change)) : config;
  }

  private static EncodingOptions columns(Arguments arguments, EncodingOptions from) {
    Option named = arguments.has(Flags.TARGET) ? Flags.TARGET : Flags.FEATURES;
    EncodingOptions columns = arguments.at(named, () -> new EncodingOptions(
        arguments.has(Flags.TARGET) ? arguments.words(Flags.TARGET) : from.targets(),
        arguments.has(Flags.FEATURES) ? arguments.words(Flags.FEATURES) : from.features(),
        List.of(),
        arguments.has(Flags.CATEGORICAL) ? arguments.words(Flags.CATEGORICAL) : from.categorical(),
        arguments.has(Flags.TASK)
            ? Optional.of(arguments.parsed(Flags.TASK, "", word -> NamedEnum.parse(Task.class, "task", word))) : from.task(),
        from.standardize() && !arguments.has(Flags.NO_STANDARDIZE),
        arguments.has(Flags.MISSING)
            ? arguments.parsed(Flags.MISSING, "", word -> NamedEnum.parse(Missing.class, "mode for missing values", word))
            : from.missing()));
    List<String> excluded = arguments.has(Flags.EXCLUDE) ? arguments.words(Flags.EXCLUDE) : from.excluded();
    return arguments.at(arguments.has(Flags.EXCLUDE) ? Flags.EXCLUDE : named,
        () -> columns.withExcluded(excluded.toArray(String[]::new)));
  }

  private static OptimizerSpec optimizer(Arguments arguments, OptimizerSpec from) {
    OptimizerSpec optimizer = from;
    if (arguments.has(Flags.OPTIMIZER)) {
      OptimizerSpec.Kind kind = arguments.parsed(Flags.OPTIMIZER, "", OptimizerSpec.Kind::of);
      // The parameters from a config file are kept if it names the same optimizer.
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
    OptimizerSpec withMomentum = optimizer;
    return arguments.has(Flags.WEIGHT_DECAY)
        ? arguments.at(Flags.WEIGHT_DECAY, () -> withMomentum.withWeightDecay(arguments.number(Flags.WEIGHT_DECAY, 0)))
        : optimizer;
  }

  /** Returns the schedule from the config file if it is of that kind, to keep its parameters. */
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

  /** Returns a file's name without its extensions: iris for data/iris.csv.gz. */
  static String stem(Path file) {
    Path last = file.getFileName();
    return last == null ? "run" : last.toString().replaceFirst("(\\.(csv|tsv|txt|data|npy|npz|idx|ubyte|gz))+$", "");
  }
}
