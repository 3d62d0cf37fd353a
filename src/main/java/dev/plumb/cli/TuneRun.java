package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Numerics;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.TableUse;
import dev.plumb.model.InvalidInputException;
import dev.plumb.report.TuningReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.ClusterBackend;
import dev.plumb.study.SearchSpace;
import dev.plumb.study.TrialExecutor;
import dev.plumb.study.TrialJob;
import dev.plumb.study.TrialLog;
import dev.plumb.study.Tuning;
import dev.plumb.study.TuningOutput;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningSpec;
import dev.plumb.study.TuningTrial;
import dev.plumb.train.DataFile;
import dev.plumb.train.Manifest;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainingRequest;
import dev.plumb.train.TrainingRun;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.commons.cli.Option;

/** One run of {@code plumb tune}, from the start or resumed. */
final class TuneRun {
  private static final double MAX_MINUTES = 1e5;
  private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(30);

  private final DeviceChoice devices;
  private final Arguments arguments;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean quiet;
  private final boolean printsConfig;
  /** Standard output, but nothing with --print-config. */
  private final PrintStream text;
  private final NumericsChanges numericsChanges;

  TuneRun(DeviceChoice devices, Arguments arguments, PrintStream out, PrintStream err) {
    this.devices = devices;
    this.arguments = arguments;
    this.out = out;
    this.err = err;
    quiet = arguments.has(Flags.QUIET);
    printsConfig = arguments.has(Flags.PRINT_CONFIG);
    numericsChanges = new NumericsChanges(arguments, err);
    text = printsConfig ? new PrintStream(PrintStream.nullOutputStream()) : out;
  }

  int begin() {
    TrainingRequest request = TrainRequest.of(arguments, Optional.empty(), Path.of(""));
    TrainCommand.requireFiles(request, arguments);
    Optional<SearchSpace> givenSpace = TuneCommand.space(arguments);
    double minutes = minutes();
    OptionalInt folds = arguments.has(Flags.FOLDS) ? OptionalInt.of(arguments.integer(Flags.FOLDS, 2, 2)) : OptionalInt.empty();
    if (folds.isPresent() && arguments.has(Flags.VALIDATION)) {
      throw new InvalidInputException("--validation: contradicts --folds; omit one of them");
    }
    int trials = TuneCommand.trials(arguments);
    // Errors of the specification are reported before the data is read.
    int rungs = (int) arguments.integer(Flags.RUNGS, TuningSpec.DEFAULT_RUNGS, 1, TuningSpec.MAX_RUNGS);
    new TuningSpec(request.config(), givenSpace.orElse(SearchSpace.DEFAULT), trials, folds, rungs);
    CommandFiles files = new CommandFiles(arguments).readsData(request.data());
    for (Option option : List.of(Flags.CONFIG, Flags.SPACE)) {
      arguments.text(option).filter(value -> !value.stripLeading().startsWith("{")).ifPresent(value ->
          files.reads("the --" + option.getLongOpt() + " file", arguments.path(option).orElseThrow()));
    }
    files.writes(Flags.LOG, Flags.JSON, Flags.REPORT).check();
    try (Backends.Selection device = devices.openSeveral(arguments, err);
        TrialExecutor executor = DeviceChoice.executor(device, arguments, "tune", err)) {
      TrainConfig config = TrainRequest.configFor(device, request.config(), arguments);
      List<DataFile> data = request.files();
      Table table = read(request, config);
      SearchSpace space = givenSpace.orElseGet(
          () -> SearchSpace.defaultFor(config, table).without(TuneCommand.fixed(arguments)));
      TuningSpec given = new TuningSpec(config, space, trials, folds, rungs);
      Tuning first = at(request.data(), () -> tuning(executor, table, given, data));
      TuningSpec spec = minutes > 0 ? given.withTrials(first.trialsWithin(60 * minutes)) : given;
      Tuning tuning = minutes > 0 ? at(request.data(), () -> new Tuning(executor, table, spec)) : first;
      TrialLog.Head head = new TrialLog.Head(Version.CURRENT, Runtime.version().toString(), device.backend().device().kind().key(),
          config.precision(), config.seed(), 1, spec.text(), Optional.of(Backends.ofThisVersion(tuning.numerics())),
          Optional.of(Path.of("").toAbsolutePath()), data);
      Optional<Path> log = arguments.path(Flags.LOG);
      try (TrialLog results = log.isPresent() ? TrialLog.create(log.get(), head)
          : TrialLog.create(request.name() + "-tune", head, files::isOutput)) {
        numericsChanges.recordIn(results);
        String budget = minutes > 0 ? String.format(Locale.ROOT, " (for about %s; repeat it with --trials %d)",
            Decimal.duration(60 * minutes), spec.trials()) : "";
        return search(device, executor, tuning, request.withConfig(config), results, List.of(), budget);
      }
    }
  }

  private Tuning tuning(TrialExecutor executor, Table table, TuningSpec spec, List<DataFile> data) {
    executor.describe(() -> TrialJob.of(spec, data), numericsChanges);
    return new Tuning(executor, table, spec);
  }

  private double minutes() {
    if (!arguments.has(Flags.MINUTES)) {
      return 0;
    }
    if (arguments.has(Flags.TRIALS)) {
      throw new InvalidInputException("--minutes: contradicts --trials; omit one of them");
    }
    double minutes = arguments.number(Flags.MINUTES, 0);
    if (!(minutes > 0 && minutes <= MAX_MINUTES)) {
      throw new InvalidInputException("--minutes " + arguments.text(Flags.MINUTES).orElseThrow()
          + ": must be a number above 0 and at most " + (long) MAX_MINUTES);
    }
    return minutes;
  }

  int resume() {
    for (Option option : TuneCommand.FIXED) {
      if (arguments.has(option)) {
        throw new InvalidInputException(
            "--" + option.getLongOpt() + ": cannot be changed when a search is resumed; omit the option");
      }
    }
    arguments.requireNoOperand();
    Path path = arguments.path(Flags.RESUME).orElseThrow();
    new CommandFiles(arguments).reads("the --resume file", path).writes(Flags.JSON, Flags.REPORT).check();
    try (TrialLog results = TrialLog.open(path)) {
      TrialLog.Head head = results.head();
      TuningSpec spec = spec(path, head);
      TrainingRequest request = request(head, spec);
      new CommandFiles(arguments).readsData(request.data()).writes(Flags.JSON, Flags.REPORT).check();
      StudyRun.requireUnchanged(request.files(), head.data());
      List<TuningTrial> known = results.readTuning();
      String name = arguments.text(Flags.DEVICE).orElse(head.device());
      try (Backends.Selection device = devices.openSeveralFor(name, arguments, err);
          TrialExecutor executor = DeviceChoice.executor(device, arguments, "tune", err)) {
        DeviceChoice.requirePrecision(device, spec.config().precision());
        Table table = read(request, spec.config());
        Tuning tuning = at(request.data(), () -> tuning(executor, table, spec, head.dataHere()));
        numericsChanges.recordIn(results);
        Numerics now = Backends.ofThisVersion(tuning.numerics());
        List<Numerics> resumed = new NumericsCheck(arguments, err).resumed(path.toString(), results.numerics(), now);
        if (resumed.size() > results.numerics().size()) {
          results.add(now);
        }
        return search(device, executor, tuning, request, results, known, "");
      }
    }
  }

  private static TuningSpec spec(Path path, TrialLog.Head head) {
    if (!TuningSpec.isText(head.text()) || head.folder().isEmpty() || head.data().isEmpty()) {
      throw new InvalidInputException(path + ": this is the run file of a study; resume it with plumb study --resume");
    }
    try {
      return TuningSpec.parse(head.text());
    } catch (InvalidInputException e) {
      throw e.at(path + ", line 1");
    }
  }

  /** Returns the request of the search that is resumed; relative paths refer to the folder where it started. */
  private TrainingRequest request(TrialLog.Head head, TuningSpec spec) {
    Path then = head.folder().orElseThrow();
    Path folder = then.equals(Path.of("").toAbsolutePath()) ? Path.of("") : then;
    Path data = folder.resolve(head.data().get(0).path());
    ReadOptions read = ReadOptions.DEFAULT.withFormat(spec.config().format())
        .withTextColumns(Set.copyOf(spec.config().columns().categorical()));
    Optional<Path> labels = head.data().stream().filter(file -> file.role().equals("labels")).map(file -> folder.resolve(file.path()))
        .findFirst();
    return new TrainingRequest(data, labels.map(read::withLabels).orElse(read), Optional.empty(), Optional.empty(), spec.config(),
        arguments.text(Flags.NAME).orElse(TrainRequest.stem(data)), arguments.path(Flags.RUNS).orElse(folder.resolve("runs")));
  }

  private static Table read(TrainingRequest request, TrainConfig config) {
    return TableReader.read(request.data(), request.read().withUse(TableUse.encoded(config.precision())));
  }

  private int search(Backends.Selection device, TrialExecutor executor, Tuning tuning, TrainingRequest request, TrialLog log,
      List<TuningTrial> known, String budget) {
    text.println(DeviceChoice.line(device, executor.device()));
    String data = DataLine.of(request.data().toString(), request.config(), tuning);
    text.println(data);
    String judged = String.format(Locale.ROOT, "%,d %s%s in %s, judged by %s of %s, seed %d%s",
        tuning.spec().trials(), tuning.spec().trials() == 1 ? "candidate" : "candidates", budget,
        tuning.rungs().size() == 1 ? "1 rung" : "up to " + tuning.rungs().size() + " rungs",
        tuning.spec().config().trainer().watch().label(),
        tuning.folds() > 1 ? tuning.folds() + " folds" : tuning.judgingRows() + " held-out rows", request.config().seed(),
        TrainSummary.dropped(tuning.droppedRows(), request.config()));
    text.println(TerminalText.sanitize("tune: " + judged + "; log: " + log.path()));
    text.println();
    text.flush();
    if (!quiet) {
      MissingNote.training(tuning.table(), tuning.view().columns(), err);
    }
    Optional<TuningResult> finished = train(tuning, log, known);
    if (finished.isEmpty()) {
      err.println(TerminalText.sanitize("plumb tune: stopped; resume with: plumb tune --resume " + log.path()));
      return ExitCode.STOPPED;
    }
    TuningResult result = finished.get();
    List<String> command = command(request, result.winner());
    String commandLine = "plumb train " + String.join(" ", command.stream().map(Manifest::shellQuoted).toList());
    TuneTable.print(result, text);
    text.println(TerminalText.sanitize("winner: " + commandLine));
    text.flush();
    arguments.path(Flags.JSON).ifPresent(file -> AtomicFile.write(file, stream ->
        TuningOutput.writeJson(result, Version.CURRENT, request.data().toString(), commandLine, stream)));
    arguments.path(Flags.REPORT).ifPresent(file -> AtomicFile.write(file, stream -> new TuningReport(request.name(), List.of(data, judged),
        result, commandLine, DeviceChoice.manifest(executor.device(), "tune", arguments)).write(stream)));
    if (result.standings().get(0).isDiverged()) {
      err.println("plumb tune: the trainings of all candidates diverged; use a space with lower learning rates or --clip-norm 1");
      return ExitCode.FAILED;
    }
    if (printsConfig) {
      out.print(TrainConfigJson.text(result.winner()));
      return ExitCode.DONE;
    }
    if (device.backend() instanceof ClusterBackend) {
      try (Backends.Selection here = devices.openHere(arguments, err)) {
        out.println("winner trained on this machine: " + DeviceChoice.line(here));
        return trainWinner(here, command);
      }
    }
    return trainWinner(device, command);
  }

  private Optional<TuningResult> train(Tuning tuning, TrialLog log, List<TuningTrial> known) {
    try (EpochsProgress progress = new EpochsProgress("tune", quiet, err)) {
      progress.started(tuning.epochs());
      return at(log.path(), () -> tuning.run(known, new Tuning.Listener() {
        @Override
        public boolean stopRequested() {
          return progress.stopRequested();
        }

        @Override
        public void trained(long trained) {
          progress.trained(trained);
        }

        @Override
        public void finished(TuningTrial trial) {
          log.addLines(List.of(trial.line()));
        }
      }));
    }
  }

  /** Returns the arguments of plumb train that train the winner. */
  private List<String> command(TrainingRequest request, TrainConfig winner) {
    List<String> command = new ArrayList<>(List.of(request.data().toString()));
    request.read().labels().ifPresent(file -> command.addAll(List.of("--labels", file.toString())));
    command.addAll(List.of("--config", TrainConfigJson.difference(winner)));
    if (!request.name().equals(TrainRequest.stem(request.data()))) {
      command.addAll(List.of("--name", request.name()));
    }
    if (!request.runs().equals(Path.of("runs"))) {
      command.addAll(List.of("--runs", request.runs().toString()));
    }
    return command;
  }

  /** Trains the winner on all rows, exactly as the command does. */
  private int trainWinner(Backends.Selection device, List<String> command) {
    List<String> quietly = new ArrayList<>(command);
    quietly.add("--" + Flags.QUIET.getLongOpt());
    Arguments train = Arguments.parse(new TrainCommand(devices).options(), quietly);
    TrainingRequest request = TrainRequest.of(train, Optional.empty(), Path.of(""));
    try (TrainingRun run = TrainingRun.begin(request, command, TrainCommand.environment(device, arguments, err))) {
      int code =
          TrainCommand.train(run, device, CHECKPOINT_EVERY, train, new PrintStream(PrintStream.nullOutputStream()), err);
      out.println(TerminalText.sanitize("run: " + run.folder().path()));
      return code;
    }
  }

  /** Returns what the supplier returns; its error message gets the file in front. */
  private static <T> T at(Path file, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw e.getMessage().startsWith("--") || e.getMessage().startsWith(file.toString()) ? e : e.at(file.toString());
    }
  }
}
