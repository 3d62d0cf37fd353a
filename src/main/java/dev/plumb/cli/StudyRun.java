package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.Version;
import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.report.GridReport;
import dev.plumb.report.HtmlReport;
import dev.plumb.report.StudyReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.DepthCures;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.Finding;
import dev.plumb.study.Study;
import dev.plumb.study.StudyData;
import dev.plumb.study.StudyEstimate;
import dev.plumb.study.StudyFindings;
import dev.plumb.study.StudyOutput;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.TableStudySpec;
import dev.plumb.study.TrialExecutor;
import dev.plumb.study.TrialGroup;
import dev.plumb.study.TrialJob;
import dev.plumb.study.TrialLog;
import dev.plumb.study.TrialRow;
import dev.plumb.study.TuningSpec;
import dev.plumb.train.DataFile;
import dev.plumb.train.TrainConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;

/** One run of {@code plumb study}: a list of networks, or a study whose trials are logged, from the start or resumed. */
final class StudyRun {
  /** Options that cannot be changed when a study is resumed. */
  private static final List<Option> FIXED = List.of(Flags.PRECISION, Flags.SEED, Flags.SEEDS, Flags.LOG);

  /** The maximum number of diverged networks that are named; the others are counted. */
  private static final int MAX_NAMED = 10;

  /** Measured with the arithmetic of the notebook. */
  private static final String SINGLE_PRECISION_NOTE = " cannot reproduce the notebook's digits for Model D - Very Deep (ReLU),"
      + " where a change of one initial weight by 1e-7 moves the final loss by 4e-3; use --precision fp64";

  private final DeviceChoice devices;
  private final Arguments arguments;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean quiet;
  private final Optional<Path> json;
  private final Optional<Path> csv;
  private final Optional<Path> report;
  private final NumericsChanges numericsChanges;

  StudyRun(DeviceChoice devices, Arguments arguments, PrintStream out, PrintStream err) {
    this.devices = devices;
    this.arguments = arguments;
    this.out = out;
    this.err = err;
    quiet = arguments.has(Flags.QUIET);
    json = arguments.path(Flags.JSON);
    csv = arguments.path(Flags.CSV);
    report = arguments.path(Flags.REPORT);
    numericsChanges = new NumericsChanges(arguments, err);
  }

  /**
   * Trains a list of networks.
   *
   * @param specText the content of the specification; empty for the networks of the notebook
   */
  int list(Study study, Optional<Path> specFile, Optional<String> specText) {
    Optional<StudyCheck> check = StudyCheck.of(arguments, err);
    if (check.isPresent() && arguments.text(Flags.DEVICE).filter(DeviceChoice::isSeveral).isPresent()) {
      throw new InvalidInputException("--" + Flags.CHECK_EVERY.getLongOpt() + ": not available with --device " + Device.CUDA_ALL
          + "; use --device cuda or cuda:N");
    }
    try (Backends.Selection device = devices.openSeveral(arguments, err);
        TrialExecutor executor = check.isPresent() ? TrialExecutor.on(check.get().checked(device))
            : DeviceChoice.executor(device, arguments, "study", err)) {
      DeviceChoice.requirePrecision(device, study.training().precision());
      StudyRunner runner = StudyCommand.at(specFile, () -> {
        executor.describe(() -> TrialJob.networks(specText, study), numericsChanges);
        return new StudyRunner(executor, study);
      });
      printHead(device, runner, study);
      if (specFile.isEmpty() && study.training().precision() != Precision.FP64) {
        out.println("note: " + study.training().precision().key() + SINGLE_PRECISION_NOTE);
      }
      out.println();
      out.flush();
      StudyResult result;
      AtomicLong epochs = new AtomicLong();
      try (ProgressLine progress =
          ProgressLine.open("study", 0, (long) study.training().epochs() * study.trials(), quiet, err)) {
        result = runner.run((group, trained) -> progress.done(epochs.addAndGet((long) trained * group.size())));
      }
      new StudyTable(result).print(out);
      out.flush();
      reportDiverged(result);
      json.ifPresent(file -> AtomicFile.write(file, stream -> StudyOutput.writeJson(result, Version.CURRENT, stream)));
      report.ifPresent(
          file -> AtomicFile.write(file, stream -> HtmlReport.write(StudyReport.of(result, DeviceChoice.manifest(result.device())), stream)));
      check.ifPresent(StudyCheck::printSummary);
      boolean passed = check.map(StudyCheck::passed).orElse(true);
      return result.diverged() == 0 && passed ? ExitCode.DONE : ExitCode.FAILED;
    }
  }

  /**
   * A study whose trials are logged.
   *
   * @param text the specification, to be read again when the study is resumed
   * @param data the files of the table; empty for the notebook's data
   */
  record Logged(Study study, String text, List<DataFile> data) {}

  /**
   * Trains a study whose trials are logged.
   *
   * @param source makes the study for a device
   * @param files the command's outputs, which the default name of the log must avoid
   */
  int begin(Function<Backends.Selection, Logged> source, CommandFiles files) {
    requireUnchecked();
    try (Backends.Selection device = devices.openSeveral(arguments, err);
        TrialExecutor executor = DeviceChoice.executor(device, arguments, "study", err)) {
      Logged logged = source.apply(device);
      Study study = logged.study();
      DeviceChoice.requirePrecision(device, study.training().precision());
      executor.describe(() -> TrialJob.of(study, logged.text(), logged.data()), numericsChanges);
      StudyRunner runner = createRunner(executor, study);
      BitSet done = new BitSet();
      StudyEstimate estimate = StudyEstimate.measure(runner, done);
      TrialLog.Head head = new TrialLog.Head(Version.CURRENT, Runtime.version().toString(),
          device.backend().device().kind().key(), study.training().precision(), study.seed(), study.seeds(), logged.text(),
          Optional.of(numerics(runner)),
          study.table().map(table -> Path.of("").toAbsolutePath()), logged.data());
      Optional<Path> log = arguments.path(Flags.LOG);
      try (TrialLog results = log.isPresent() ? TrialLog.create(log.get(), head)
          : TrialLog.create(study.name(), head, files::isOutput)) {
        numericsChanges.recordIn(results);
        return train(device, runner, study, results, new TrialRow[study.trials()], done, estimate);
      }
    }
  }

  int resume() {
    requireUnchecked();
    for (Option option : Stream.concat(FIXED.stream(), StudyCommand.TABLE.stream()).toList()) {
      if (arguments.has(option)) {
        throw new InvalidInputException(
            "--" + option.getLongOpt() + ": cannot be changed when a study is resumed; omit the option");
      }
    }
    arguments.requireNoOperand();
    try (TrialLog results = TrialLog.open(arguments.path(Flags.RESUME).orElseThrow())) {
      TrialLog.Head head = results.head();
      Study study = results.study(text -> head.folder().map(folder -> tableStudy(text, folder, head.data()))
          .orElseGet(() -> TrialJob.notebookStudy(text)));
      TrialRow[] rows = new TrialRow[study.trials()];
      BitSet done = results.read(study, rows);
      String name = arguments.text(Flags.DEVICE).orElse(head.device());
      try (Backends.Selection device = devices.openSeveralFor(name, arguments, err);
          TrialExecutor executor = DeviceChoice.executor(device, arguments, "study", err)) {
        DeviceChoice.requirePrecision(device, study.training().precision());
        executor.describe(() -> TrialJob.of(study, head.text(), head.dataHere()), numericsChanges);
        numericsChanges.recordIn(results);
        StudyRunner runner = createRunner(executor, study);
        if (done.cardinality() < study.trials()) {
          Numerics now = numerics(runner);
          List<Numerics> resumed = new NumericsCheck(arguments, err).resumed(results.path().toString(), results.numerics(), now);
          if (resumed.size() > results.numerics().size()) {
            results.add(now);
          }
        }
        return train(device, runner, study, results, rows, done, StudyEstimate.measure(runner, done));
      }
    }
  }

  private static Study tableStudy(String text, Path folder, List<DataFile> then) {
    if (TuningSpec.isText(text)) {
      throw new InvalidInputException("this is the log of a hyperparameter search; resume it with plumb tune --resume");
    }
    TableStudySpec spec = TableStudySpec.parse(text, Optional.empty(), TrainConfig.DEFAULT);
    requireUnchanged(spec.files(folder), then);
    return spec.study(folder);
  }

  /** Refuses files whose content is not that at the start of a study. */
  static void requireUnchanged(List<DataFile> now, List<DataFile> then) {
    if (!now.stream().map(DataFile::sha256).toList().equals(then.stream().map(DataFile::sha256).toList())) {
      throw new InvalidInputException(now.get(0).path() + ": the data has changed since the study started (its SHA-256 was "
          + then.get(0).sha256() + "); restore it or start a new study");
    }
  }

  private void requireUnchecked() {
    if (arguments.has(Flags.CHECK_EVERY) || arguments.has(Flags.CHECK_MODE)) {
      throw new InvalidInputException("--" + Flags.CHECK_EVERY.getLongOpt() + ": not available for a grid; list one of its"
          + " networks in a SPEC, or check the device with plumb check");
    }
  }

  private static Numerics numerics(StudyRunner runner) {
    return Backends.ofThisVersion(runner.numerics());
  }

  private static StudyRunner createRunner(TrialExecutor executor, Study study) {
    StudyRunner runner = new StudyRunner(executor, study);
    StudyEstimate.requireFits(runner, Runtime.getRuntime().maxMemory());
    return runner;
  }

  private void printHead(Backends.Selection device, StudyRunner runner, Study study) {
    out.println(DeviceChoice.line(device, runner.device()));
    TrainingSpec training = study.training();
    out.println(TerminalText.sanitize("study: " + study.name() + ", " + describe(study.data()) + ", seed " + study.seed()
        + ", " + property(study, "initializer", Study.Cell::initializer) + ", loss " + training.loss().key()
        + ", optimizer " + training.optimizer().kind().key() + ", "
        + property(study, "learning rate", Study.Cell::learningRate)
        + ", " + training.epochs() + (training.epochs() == 1 ? " epoch" : " epochs")
        + ", " + (training.batchSize().isPresent() ? "batch size " + training.batchSize().getAsInt() : "full batch")
        + training.dropout().map(dropout -> ", dropout " + dropout.probability()).orElse("")
        + ", " + training.precision().key()));
    study.table().ifPresent(table -> {
      out.println(DataLine.of(table.file(), table.config(), table.view()));
      if (!quiet) {
        MissingNote.training(table.view().trainingRows(), table.view().columns(), err);
      }
    });
  }

  private static String describe(StudyData data) {
    return data instanceof StudyData.Table table
        ? table.file() + ", " + table.rows() + " rows for training, "
            + table.view().validation().map(rows -> rows.rows() + " for validation").orElse("none for validation")
            + TrainSummary.dropped(table.view().droppedRows(), table.config())
        : data.rows() + " samples";
  }

  private static String property(Study study, String name, Function<Study.Cell, Object> value) {
    boolean isCommon = study.cells().stream().map(value).distinct().count() == 1;
    return (isCommon ? name + " " : "") + study.describe(name, value);
  }

  private int train(Backends.Selection device, StudyRunner runner, Study study, TrialLog results, TrialRow[] rows, BitSet done,
      StudyEstimate estimate) {
    printHead(device, runner, study);
    out.println(TerminalText.sanitize(String.format(Locale.ROOT,
        study.table().isPresent() ? "table: %,d networks in %d %s; %,d to train, at most %,.0f steps%s, up to %s of memory;"
            + " results in %s" : "grid: %,d networks in %d %s; %,d to train, %,.0f steps%s, up to %s of memory; results in %s",
        study.trials(), study.cells().size(), study.cells().size() == 1 ? "cell" : "cells",
        estimate.networks(), estimate.steps(), estimate.isMeasured() ? ", about " + Decimal.duration(estimate.seconds()) : "",
        StudyEstimate.size(estimate.bytes()), results.path())));
    out.println();
    out.flush();
    boolean completed;
    try (StopSignal stop = StopSignal.open("", quiet ? new PrintStream(PrintStream.nullOutputStream()) : err);
        StudyProgress progress = new StudyProgress(study.trials(), done.cardinality(), estimate, quiet, err)) {
      completed = runner.run((BitSet) done.clone(), new StudyRunner.Listener() {
        @Override
        public boolean stopRequested() {
          return stop.isRequested();
        }

        @Override
        public void finished(List<TrialRow> finishedRows) {
          results.add(finishedRows);
          for (TrialRow row : finishedRows) {
            rows[row.trial()] = row;
            done.set(row.trial());
          }
          progress.finished(finishedRows.size());
        }

        @Override
        public void trained(TrialGroup group, int epochs) {
          progress.worked(estimate.seconds(group) / study.training().epochs() * epochs);
        }
      });
    }
    if (!completed) {
      err.println(TerminalText.sanitize(String.format(Locale.ROOT,
          "plumb study: stopped; %,d of %,d networks finished; resume with: plumb study --resume %s",
          done.cardinality(), study.trials(), results.path())));
      return ExitCode.STOPPED;
    }
    return finish(runner.result(rows), results.head().text().equals(DepthStudy.text()));
  }

  private int finish(StudyResult result, boolean isDepthStudy) {
    StudyResult main = isDepthStudy ? DepthStudy.notebook(result) : result;
    Optional<DepthCures> cures = isDepthStudy ? Optional.of(new DepthCures(result)) : Optional.empty();
    new StudyTable(main).print(out);
    List<Finding> findings = isDepthStudy ? DepthStudy.findings(main) : StudyFindings.of(main);
    StudyTable.print(findings, out);
    cures.ifPresent(of -> {
      new CureTables(of).print(out);
      StudyTable.print(of.findings(), findings.size() + 1, out);
    });
    result.study().table().ifPresent(table -> result.best().ifPresent(row -> {
      Study.Cell cell = result.study().cellOf(row.trial());
      out.println();
      out.println(TerminalText.sanitize("best: " + cell.name() + ", seed " + result.study().seedOf(row.trial())
          + "; to train it alone: " + table.command(cell, result.study().seedOf(row.trial()))));
    }));
    out.flush();
    json.ifPresent(file -> AtomicFile.write(file, stream -> StudyOutput.writeJson(result, Version.CURRENT, stream)));
    csv.ifPresent(file -> AtomicFile.write(file, stream -> StudyOutput.writeCsv(result, stream)));
    report.ifPresent(
        file -> AtomicFile.write(file, stream -> new GridReport(main, findings, cures, DeviceChoice.manifest(result.device())).write(stream)));
    return ExitCode.DONE;
  }

  private void reportDiverged(StudyResult result) {
    Study study = result.study();
    Arrays.stream(result.rows()).filter(row -> row.diverged() > 0).limit(MAX_NAMED).forEach(row ->
        err.println(TerminalText.sanitize("plumb study: \"" + study.cellOf(row.trial()).name() + "\" (seed "
            + study.seedOf(row.trial()) + ") diverged: not finite from epoch " + row.diverged() + " of "
            + study.training().epochs() + "; try a learning rate below " + study.cellOf(row.trial()).learningRate())));
    if (result.diverged() > MAX_NAMED) {
      err.println("plumb study: " + (result.diverged() - MAX_NAMED) + " more runs diverged");
    }
  }
}
