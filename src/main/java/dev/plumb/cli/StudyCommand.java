package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.report.StudyReport;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.Study;
import dev.plumb.study.StudySpec;
import dev.plumb.study.StudySpecReader;
import dev.plumb.study.StudySpecReader.StudyFile;
import dev.plumb.study.TableStudySpec;
import dev.plumb.train.TrainConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb study}: trains several networks in the same way and prints one table. */
final class StudyCommand implements Command {
  private static final int MAX_SEEDS = 1_000_000;

  private static final Option RESUME =
      Flags.meaning(Flags.RESUME, "FILE", "Resume a grid that was stopped or killed; the table is the same as without a stop.");

  private static final Option SEED =
      Flags.meaning(Flags.SEED, "N", "Random seed, 0 to 4294967295 (default: 42, or from SPEC.json).");

  /** Options of studies on a table. */
  static final List<Option> TABLE = Stream.concat(Stream.of(Flags.meaning(Flags.DATA, "FILE",
      "Train on a table, with the options below as for plumb train; SPEC.json lists hidden layers (default: the notebook's data).")),
      TrainRequest.CONFIGURATION.stream()).toList();

  private final DeviceChoice devices;

  StudyCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "study";
  }

  @Override
  public String summary() {
    return "Train several networks and print one table";
  }

  @Override
  public String usage() {
    return "[SPEC.json | depth] [options]\n--resume FILE [options]";
  }

  @Override
  public String details() {
    return """
        Without SPEC.json, trains the five networks of the notebook and prints its table. The loss at an
        epoch is the loss over all rows before the updates of that epoch; gradient norms are from the last
        step. With --seeds, every network is trained from several initial weights on the same data, and the
        table shows median and quartiles.

        The format of SPEC.json, in which everything except "networks" or "grid" is optional:
          { "name": "seed 7", "data": {"source": "notebook", "samples": 400}, "seed": 7,
            "initializer": "notebook", "loss": "mse", "optimizer": {"type": "sgd", "momentum": 0.9},
            "clipNorm": 1.0, "learningRate": 0.02, "epochs": 700, "batchSize": 32, "shuffle": true,
            "lossAtEpochs": [200],
            "networks": [ {"name": "Tanh", "layers": [3,5,7,1], "activation": "tanh"} ] }

        In addition to "networks" or instead of it, "grid" trains all combinations of its values:
          "grid": {"depth": [1,2,4,8], "width": [4,8], "activation": ["relu","sigmoid"],
                   "initializer": ["notebook","he_uniform"], "learningRate": [0.01,0.1], "seeds": 100}
        Networks and grids may also have "normalization" (none, batch or layer) and "residual" (true or
        false).

        Every finished network of a grid is stored in a file (--log); --resume continues after Ctrl-C or a
        crash. A network of a grid that diverges is counted in the table and does not change the exit code.

        "plumb study depth" trains the notebook's five networks from 1000 seeds (or --seeds N) and tests the
        notebook's five conclusions. It trains the very deep networks with other initializers, normalization
        and residual connections too, with 2 to 32 hidden layers, and reports which of these let them learn.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb study
        plumb study spec.json --seeds 20 --report study.html
        plumb study --resume depth-1.runs
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(List.of(Flags.DEVICES, Flags.ON, Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS,
        Flags.PRECISION, SEED, Flags.SEEDS, Flags.CHECK_EVERY, Flags.CHECK_MODE, Flags.JSON, Flags.CSV, Flags.REPORT, Flags.LOG, RESUME,
        Flags.ALLOW_OTHER_NUMERICS));
    options.addAll(TABLE);
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    NumericsCheck.require(arguments, Flags.RESUME, Flags.ON);
    DeviceChoice.requireWithoutCluster(Flags.CHECK_EVERY, arguments);
    if (arguments.has(Flags.RESUME)) {
      files(arguments, Optional.empty()).check();
      return new StudyRun(devices, arguments, out, err).resume();
    }
    Optional<Path> table = arguments.path(Flags.DATA);
    Optional<String> specText = arguments.operand().filter(DepthStudy.NAME::equals).isPresent() ? Optional.empty()
        : arguments.operandPath().map(file -> at(Optional.of(file), () -> StudySpecReader.text(file)));
    if (table.isPresent() || specText.isPresent() && at(arguments.operandPath(), () -> TableStudySpec.isTable(specText.get()))) {
      return table(arguments, specText, out, err);
    }
    for (Option option : TABLE) {
      if (arguments.has(option)) {
        throw new InvalidInputException("--" + option.getLongOpt() + ": applies only to a study on a table; name the table with"
            + " --" + Flags.DATA.getLongOpt());
      }
    }
    boolean isDepthStudy = arguments.operand().filter(DepthStudy.NAME::equals).isPresent();
    Optional<Path> specFile = isDepthStudy ? Optional.empty() : arguments.operandPath();
    Optional<StudyFile> read = specText.map(text -> at(specFile, () -> StudySpecReader.parse(text)));
    boolean isList = !isDepthStudy && read.flatMap(StudyFile::grid).isEmpty();
    if (isList) {
      for (Option option : List.of(Flags.CSV, Flags.LOG)) {
        if (arguments.has(option)) {
          throw new InvalidInputException("--" + option.getLongOpt() + ": applies only to a grid and to plumb study "
              + DepthStudy.NAME);
        }
      }
    }
    Precision precision = arguments.parsed(Flags.PRECISION, Precision.FP64.key(), Precision::of);
    OptionalLong seed = arguments.has(Flags.SEED)
        ? OptionalLong.of(arguments.integer(Flags.SEED, 0, 0, NumpyRandom.MAX_SEED)) : OptionalLong.empty();
    OptionalInt seeds = arguments.has(Flags.SEEDS)
        ? OptionalInt.of((int) arguments.integer(Flags.SEEDS, 1, 1, MAX_SEEDS)) : OptionalInt.empty();
    CommandFiles files = files(arguments, specFile);
    files.check();
    Study study = at(specFile, () -> {
      Study given = isList ? list(read.map(StudyFile::spec).orElseGet(StudySpec::notebook), seeds.orElse(1), arguments)
          : isDepthStudy ? DepthStudy.study() : read.get().gridStudy();
      Study seeded = seed.isPresent() ? given.withSeed(seed.getAsLong()) : given;
      return (seeds.isPresent() ? seeded.withSeeds(seeds.getAsInt()) : seeded).withPrecision(precision);
    });
    StudyRun run = new StudyRun(devices, arguments, out, err);
    return isList ? run.list(study, specFile, specText)
        : run.begin(device -> new StudyRun.Logged(study, isDepthStudy ? DepthStudy.text() : read.get().text(), List.of()), files);
  }

  private int table(Arguments arguments, Optional<String> specText, PrintStream out, PrintStream err) {
    if (arguments.operand().filter(DepthStudy.NAME::equals).isPresent()) {
      throw new InvalidInputException("--" + Flags.DATA.getLongOpt() + ": plumb study " + DepthStudy.NAME
          + " trains on the notebook's data; omit the option");
    }
    Optional<Path> specFile = arguments.operandPath();
    TableStudySpec spec = tableSpec(arguments, specText, TrainConfig.DEFAULT);
    CommandFiles files = files(arguments, specFile).reads("the table", Path.of(spec.file()));
    files.check();
    return new StudyRun(devices, arguments, out, err).begin(device -> {
      TableStudySpec adapted = DeviceChoice.isReference(device)
          ? tableSpec(arguments, specText, TrainConfig.DEFAULT.with(changes -> changes.precision(Precision.FP64))) : spec;
      TrainRequest.requireInRange(adapted.config(), arguments);
      Path folder = Path.of("");
      return new StudyRun.Logged(adapted.study(folder), adapted.text(), adapted.files(folder));
    }, files);
  }

  private static TableStudySpec tableSpec(Arguments arguments, Optional<String> specText, TrainConfig defaults) {
    TableStudySpec from = at(arguments.operandPath(),
        () -> TableStudySpec.parse(specText.orElse("{}"), arguments.text(Flags.DATA), defaults));
    TableStudySpec spec = from.withConfig(TrainRequest.config(arguments, from.config()));
    if (arguments.has(Flags.LABELS)) {
      spec = spec.withLabels(arguments.text(Flags.LABELS).orElseThrow());
    }
    return arguments.has(Flags.SEEDS) ? spec.withSeeds((int) arguments.integer(Flags.SEEDS, 1, 1, MAX_SEEDS)) : spec;
  }

  private static Study list(StudySpec spec, int seeds, Arguments arguments) {
    List<Integer> curveEpochs = arguments.has(Flags.REPORT)
        ? StudyReport.curveEpochs(spec.training().epochs(), spec.networks().size(), seeds) : List.of();
    return Study.ofList(spec, seeds, curveEpochs);
  }

  /** Returns what the supplier returns; its error message gets the name of the file in front. */
  static <T> T at(Optional<Path> file, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw file.map(path -> e.at(path.toString())).orElse(e);
    }
  }

  private static CommandFiles files(Arguments arguments, Optional<Path> specFile) {
    CommandFiles files = new CommandFiles(arguments);
    arguments.path(Flags.RESUME).ifPresent(file -> files.reads("the --" + Flags.RESUME.getLongOpt() + " file", file));
    specFile.ifPresent(file -> files.reads("SPEC", file));
    return files.writes(Flags.LOG, Flags.JSON, Flags.CSV, Flags.REPORT);
  }
}
