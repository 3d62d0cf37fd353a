package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Backend;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.report.HtmlReport;
import dev.plumb.report.StudyReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.StudyJson;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRun;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudySpec;
import dev.plumb.study.StudySpecReader;
import dev.plumb.study.StudySpecReader.StudyFile;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb study}: trains several networks in the same way and prints one table. */
final class StudyCommand implements Command {
  private static final int MAX_SEEDS = 1_000_000;

  /** The maximum number of diverged networks that are named; the others are counted. */
  private static final int MAX_NAMED = 10;

  /** Measured with the arithmetic of the notebook. */
  private static final String SINGLE_PRECISION_NOTE = " cannot reproduce the notebook's digits for Model D - Very Deep (ReLU),"
      + " where a change of one initial weight by 1e-7 moves the final loss by 4e-3; use --precision fp64";

  private static final Option RESUME =
      Flags.meaning(Flags.RESUME, "FILE", "Resume a grid that was stopped or killed; the table is the same as without a stop.");

  private static final Option SEED =
      Flags.meaning(Flags.SEED, "N", "Random seed, 0 to 4294967295 (default: 42, or from SPEC.json).");

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
        Every finished network of a grid is stored in a file (--log); --resume continues after Ctrl-C or a
        crash. A network of a grid that diverges is counted in the table and does not change the exit code.

        "plumb study depth" trains the notebook's five networks from 1000 seeds (or --seeds N) and tests the
        notebook's five conclusions.
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
    return Flags.options(Flags.DEVICE, Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS, Flags.PRECISION, SEED, Flags.SEEDS,
        Flags.CHECK_EVERY, Flags.CHECK_MODE, Flags.JSON, Flags.CSV, Flags.REPORT, Flags.LOG, RESUME,
        Flags.ALLOW_OTHER_NUMERICS);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    NumericsCheck.requireResume(arguments);
    if (arguments.has(Flags.RESUME)) {
      files(arguments, Optional.empty()).check();
      return new GridRun(devices, arguments, out, err).resume();
    }
    if (arguments.operand().filter(DepthStudy.NAME::equals).isPresent()) {
      CommandFiles files = files(arguments, Optional.empty());
      files.check();
      return new GridRun(devices, arguments, out, err).begin(StudySpecReader.parse(DepthStudy.TEXT), files);
    }
    Optional<Path> specFile = arguments.operandPath();
    Optional<StudyFile> read = specFile.map(StudySpecReader::readFile);
    if (read.isPresent() && read.get().grid().isPresent()) {
      return grid(arguments, specFile.get(), read.get(), out, err);
    }
    for (Option option : List.of(Flags.CSV, Flags.LOG)) {
      if (arguments.has(option)) {
        throw new InvalidInputException("--" + option.getLongOpt() + ": applies only to a grid and to plumb study "
            + DepthStudy.NAME);
      }
    }
    StudySpec spec = read.map(StudyFile::spec).orElseGet(StudySpec::notebook);
    if (arguments.has(Flags.SEED)) {
      spec = spec.withSeed(arguments.integer(Flags.SEED, 0, 0, NumpyRandom.MAX_SEED));
    }
    spec = withPrecision(spec, arguments.parsed(Flags.PRECISION, Precision.FP64.key(), Precision::of), specFile);
    int seeds = (int) arguments.integer(Flags.SEEDS, 1, 1, MAX_SEEDS);
    Optional<Path> json = arguments.path(Flags.JSON);
    Optional<Path> report = arguments.path(Flags.REPORT);
    files(arguments, specFile).check();
    Optional<StudyCheck> check = StudyCheck.of(arguments, err);

    List<Integer> curveEpochs = report.isPresent() ? StudyReport.curveEpochs(spec, seeds) : List.of();
    try (Backends.Selection device = devices.open(arguments, err)) {
      DeviceChoice.requirePrecision(device, spec.training().precision());
      Backend backend = check.map(studyCheck -> studyCheck.checked(device)).orElse(device.backend());
      StudyRunner runner = runner(backend, spec, seeds, curveEpochs, specFile);
      out.println(DeviceChoice.line(device));
      out.println(TerminalText.sanitize(studyLine(
          spec, "initializer " + spec.initializer().key(), "learning rate " + spec.training().learningRate())));
      if (specFile.isEmpty() && spec.training().precision() != Precision.FP64) {
        out.println("note: " + spec.training().precision().key() + SINGLE_PRECISION_NOTE);
      }
      out.println();
      out.flush();
      StudyResult result;
      try (ProgressLine progress = ProgressLine.open(name(), runner.totalEpochs(), arguments.has(Flags.QUIET), err)) {
        result = runner.run(progress::done);
      }
      new StudyTable(result).print(out);
      out.flush();
      reportDiverged(result, err);
      json.ifPresent(file -> AtomicFile.write(file, stream -> StudyJson.write(result, Version.CURRENT, stream)));
      report.ifPresent(file -> AtomicFile.write(file, stream -> HtmlReport.write(StudyReport.of(result, manifest(result)),
          stream)));
      check.ifPresent(StudyCheck::printSummary);
      boolean passed = check.map(StudyCheck::passed).orElse(true);
      return result.diverged().isEmpty() && passed ? ExitCode.DONE : ExitCode.FAILED;
    }
  }

  private int grid(Arguments arguments, Path specFile, StudyFile read, PrintStream out, PrintStream err) {
    Precision precision = arguments.parsed(Flags.PRECISION, Precision.FP64.key(), Precision::of);
    CommandFiles files = files(arguments, Optional.of(specFile));
    files.check();
    try {
      read.gridStudy().withPrecision(precision);
    } catch (InvalidInputException e) {
      throw e.at(specFile.toString());
    }
    return new GridRun(devices, arguments, out, err).begin(read, files);
  }

  private static StudyRunner runner(Backend backend, StudySpec spec, int seeds, List<Integer> curveEpochs,
      Optional<Path> specFile) {
    try {
      return new StudyRunner(backend, spec, seeds, curveEpochs);
    } catch (InvalidInputException e) {
      throw specFile.map(file -> e.at(file.toString())).orElse(e);
    }
  }

  private static StudySpec withPrecision(StudySpec spec, Precision precision, Optional<Path> specFile) {
    try {
      return spec.withPrecision(precision);
    } catch (InvalidInputException e) {
      throw specFile.map(file -> e.at(file.toString())).orElse(e);
    }
  }

  private static CommandFiles files(Arguments arguments, Optional<Path> specFile) {
    CommandFiles files = new CommandFiles(arguments);
    arguments.path(Flags.RESUME).ifPresent(file -> files.reads("the --" + Flags.RESUME.getLongOpt() + " file", file));
    specFile.ifPresent(file -> files.reads("SPEC", file));
    return files.writes(Flags.LOG, Flags.JSON, Flags.CSV, Flags.REPORT);
  }

  private static SortedMap<String, String> manifest(StudyResult result) {
    return new TreeMap<>(Map.of(
        "plumb", Version.CURRENT,
        "java", Runtime.version().toString(),
        "system", System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        "device", result.device().kind().key() + ": " + result.device().name()));
  }

  static String studyLine(StudySpec spec, String initializers, String learningRates) {
    TrainingSpec training = spec.training();
    return "study: " + spec.name() + ", " + spec.samples() + " samples, seed " + spec.seed()
        + ", " + initializers + ", loss " + training.loss().key()
        + ", optimizer " + training.optimizer().kind().key() + ", " + learningRates
        + ", " + training.epochs() + (training.epochs() == 1 ? " epoch" : " epochs")
        + ", " + (training.batchSize().isPresent() ? "batch size " + training.batchSize().getAsInt() : "full batch")
        + training.dropout().map(dropout -> ", dropout " + dropout.probability()).orElse("")
        + ", " + training.precision().key();
  }

  private static void reportDiverged(StudyResult result, PrintStream err) {
    List<StudyRun> diverged = result.diverged();
    for (StudyRun run : diverged.subList(0, Math.min(diverged.size(), MAX_NAMED))) {
      err.println(TerminalText.sanitize("plumb study: \"" + run.name() + "\" (seed " + run.seed()
          + ") diverged: not finite from epoch " + run.divergedAtEpoch().getAsInt() + " of "
          + result.spec().training().epochs() + "; try a learning rate below "
          + result.spec().training().learningRate()));
    }
    if (diverged.size() > MAX_NAMED) {
      err.println("plumb study: " + (diverged.size() - MAX_NAMED) + " more runs diverged");
    }
  }
}
