package dev.plumb.cli;

import dev.plumb.json.JsonInput;
import dev.plumb.model.InvalidInputException;
import dev.plumb.study.Hyperparameter;
import dev.plumb.study.SearchSpace;
import dev.plumb.study.TuningSpec;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb tune}: searches the hyperparameters of a training. */
final class TuneCommand implements Command {
  /** Options of {@code plumb train} that this command lacks, or describes in another way. */
  private static final List<Option> OTHERS = List.of(Flags.TEST, Flags.FROM, Flags.CALIBRATE, Flags.PRINT_CONFIG, Flags.NAME,
      Flags.RUNS, Flags.SEED, Flags.SPLIT_SEED, Flags.VALIDATION, Flags.EPOCHS);

  private static final Option SEED = Flags.meaning(Flags.SEED, "N",
      "Random seed for the candidates, the judging rows, the initial weights, the batches and dropout (default: 42).");
  private static final Option SPLIT_SEED =
      Flags.meaning(Flags.SPLIT_SEED, "N", "Random seed for the judging rows only (default: the seed of --seed).");
  private static final Option VALIDATION = Flags.meaning(Flags.VALIDATION, "FRACTION",
      "Judge by this fraction of the rows, held out, instead of folds (default: 0.2 of more than 2,000 rows).");
  private static final Option FOLDS = Flags.meaning(Flags.FOLDS, "K", "Judge by K folds (default: 5 up to 2,000 rows).");
  private static final Option EPOCHS = Flags.meaning(Flags.EPOCHS, "N",
      "Maximum number of epochs: those of the last rung (default: 20 to 200, fewer for more rows).");
  private static final Option LOG =
      Flags.meaning(Flags.LOG, "FILE", "Store each finished network in FILE, for --resume (default: NAME-tune-n.runs).");
  private static final Option RESUME = Flags.meaning(Flags.RESUME, "FILE",
      "Resume a search that was stopped or killed; the winner is the same as without a stop.");
  private static final Option PRINT_CONFIG = Flags.meaning(Flags.PRINT_CONFIG,
      "Print only the winner's configuration, as JSON, and train no final model.");

  /** Options that determine the search, and so cannot be changed when it is resumed. */
  static final List<Option> FIXED = Stream.concat(Stream.of(Flags.TRIALS, Flags.MINUTES, Flags.RUNGS, Flags.SPACE, FOLDS,
      VALIDATION, EPOCHS, SEED, SPLIT_SEED, LOG), TrainRequest.FIXED.stream().filter(option -> !OTHERS.contains(option))).toList();

  /** Options that fix hyperparameters. */
  private static final Map<Option, Set<Hyperparameter>> FIXING = Map.of(
      Flags.LEARNING_RATE, Set.of(Hyperparameter.LEARNING_RATE),
      Flags.LAYERS, Set.of(Hyperparameter.WIDTH, Hyperparameter.DEPTH),
      Flags.ACTIVATION, Set.of(Hyperparameter.ACTIVATION),
      Flags.WEIGHT_DECAY, Set.of(Hyperparameter.WEIGHT_DECAY),
      Flags.DROPOUT, Set.of(Hyperparameter.DROPOUT),
      Flags.BATCH_SIZE, Set.of(Hyperparameter.BATCH_SIZE),
      Flags.NORMALIZATION, Set.of(Hyperparameter.NORMALIZATION),
      Flags.RESIDUAL, Set.of(Hyperparameter.RESIDUAL),
      Flags.NO_RESIDUAL, Set.of(Hyperparameter.RESIDUAL));

  private final DeviceChoice devices;

  TuneCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "tune";
  }

  @Override
  public String summary() {
    return "Search the hyperparameters of a training, and train the best network";
  }

  @Override
  public String usage() {
    return "DATA [options]\n--resume FILE [options]";
  }

  @Override
  public String details() {
    return """
        DATA is a table as for plumb train. Random search with successive halving: N candidates are
        trained for few epochs in the first rung, the best quarter of them for three times as many in the
        second rung, and so on; none advances whose score has become worse. By default, the rungs of a
        small table have 7, 22, 66 and 200 epochs. The first candidates, marked "base", are the
        configuration without a search; up to 2,000 rows, with each of the values of weight decay and
        dropout that plumb train chooses from. They advance whatever their rank. The best two drawn
        candidates and the best base candidate are trained from a second seed, each for the epochs of its
        best rung; with held-out rows or up to 3 folds also from a third seed. The better drawn one wins if
        its scores (--watch) from these seeds are better than those of the base candidate by more than 1.5
        standard errors of their mean difference; otherwise the base candidate wins.

        Up to 2,000 rows, candidates are judged by 5 folds, fewer if a class has fewer rows; above that,
        by held-out rows. The winner is trained on all rows into a run folder, as by plumb train.

        Default distributions: learningRate log 0.0003 to 0.03; width and batchSize 16, 32, 64 or 128 (32
        to 256 for tables with more than 2,000 rows); depth 1, 2 or 3; activation relu, leaky_relu, tanh or
        silu; weightDecay log 0.01 to 10 (adamw only); dropout 0 (half of the candidates), 0.1 or 0.3;
        normalization none, batch or layer; residual false or true. An option such as --activation tanh
        fixes its value. --space replaces them: what it does not name keeps the value of the configuration.
          {"learningRate": {"log": [1e-4, 3e-2]}, "width": {"choice": [32, 64]}, "depth": 2,
           "dropout": {"linear": [0, 0.5]}}
        """;
  }

  @Override
  public String examples() {
    return """
        plumb tune iris.csv
        plumb tune houses.csv --target price --minutes 5 --watch mae
        plumb tune --resume iris-tune-1.runs
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(FIXED);
    options.addAll(List.of(RESUME, Flags.ALLOW_OTHER_NUMERICS, Flags.JSON, Flags.REPORT, PRINT_CONFIG, Flags.NAME, Flags.RUNS,
        Flags.DEVICES, Flags.ON, Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS));
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    NumericsCheck.require(arguments, Flags.RESUME, Flags.ON);
    DeviceChoice.requireWithoutCluster(Flags.MINUTES, arguments);
    TuneRun run = new TuneRun(devices, arguments, out, err);
    return arguments.has(Flags.RESUME) ? run.resume() : run.begin();
  }

  /** Returns the space of {@code --space}, without the hyperparameters that options fix; empty without the option. */
  static Optional<SearchSpace> space(Arguments arguments) {
    if (!arguments.has(Flags.SPACE)) {
      return Optional.empty();
    }
    Set<Hyperparameter> fixed = fixed(arguments);
    String text = arguments.text(Flags.SPACE).orElseThrow();
    if (text.stripLeading().startsWith("{")) {
      return Optional.of(arguments.at(Flags.SPACE, () -> SearchSpace.parse(text)).without(fixed));
    }
    Path file = arguments.path(Flags.SPACE).orElseThrow();
    try {
      return Optional.of(SearchSpace.parse(new String(JsonInput.bytes(file), StandardCharsets.UTF_8)).without(fixed));
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  /** Returns the hyperparameters that options fix. */
  static Set<Hyperparameter> fixed(Arguments arguments) {
    Set<Hyperparameter> fixed = EnumSet.noneOf(Hyperparameter.class);
    FIXING.forEach((option, parameters) -> {
      if (arguments.has(option)) {
        fixed.addAll(parameters);
      }
    });
    return fixed;
  }

  static int trials(Arguments arguments) {
    return (int) arguments.integer(Flags.TRIALS, TuningSpec.DEFAULT_TRIALS, 1, TuningSpec.MAX_TRIALS);
  }
}
