package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.report.GridReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.Finding;
import dev.plumb.study.GridEstimate;
import dev.plumb.study.GridFile;
import dev.plumb.study.GridFindings;
import dev.plumb.study.GridOutput;
import dev.plumb.study.GridResult;
import dev.plumb.study.GridRow;
import dev.plumb.study.GridRunner;
import dev.plumb.study.GridStudy;
import dev.plumb.study.StudySpecReader;
import dev.plumb.study.StudySpecReader.StudyFile;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.commons.cli.Option;

/** {@code plumb study} with many networks: a grid or the built-in depth study, from the start or resumed. */
final class GridRun {
  /** Options that cannot be changed when a study is resumed. */
  private static final List<Option> FIXED = List.of(Flags.PRECISION, Flags.SEED, Flags.SEEDS, Flags.LOG);

  private static final int MAX_SEEDS = 1_000_000;

  private final DeviceChoice devices;
  private final Arguments arguments;
  private final PrintStream out;
  private final PrintStream err;
  private final Optional<Path> json;
  private final Optional<Path> csv;
  private final Optional<Path> report;

  GridRun(DeviceChoice devices, Arguments arguments, PrintStream out, PrintStream err) {
    this.devices = devices;
    this.arguments = arguments;
    this.out = out;
    this.err = err;
    json = arguments.path(Flags.JSON);
    csv = arguments.path(Flags.CSV);
    report = arguments.path(Flags.REPORT);
    if (arguments.has(Flags.CHECK_EVERY) || arguments.has(Flags.CHECK_MODE)) {
      throw new InvalidInputException("--" + Flags.CHECK_EVERY.getLongOpt() + ": not available for a grid; list one of its"
          + " networks in a SPEC, or check the device with plumb check");
    }
  }

  /**
   * Trains a study from the start.
   *
   * @param files the command's outputs, which the default name of the results file must avoid
   */
  int begin(StudyFile file, CommandFiles files) {
    GridStudy study = withOptions(study(file));
    try (Backends.Selection device = devices.open(arguments, err)) {
      DeviceChoice.requirePrecision(device, study.spec().training().precision());
      GridRunner runner = createRunner(device, study);
      BitSet done = new BitSet();
      GridEstimate estimate = GridEstimate.measure(runner, done);
      GridFile.Head head = new GridFile.Head(Version.CURRENT, Runtime.version().toString(),
          device.backend().device().kind().key(),
          study.spec().training().precision(), study.spec().seed(), study.seeds(), file.text(), Optional.of(numerics(runner)));
      Optional<Path> log = arguments.path(Flags.LOG);
      try (GridFile results = log.isPresent() ? GridFile.create(log.get(), head)
          : GridFile.create(study.spec().name(), head, files::isOutput)) {
        return train(device, runner, study, results, new GridRow[study.networks()], done, estimate);
      }
    }
  }

  int resume() {
    for (Option option : FIXED) {
      if (arguments.has(option)) {
        throw new InvalidInputException(
            "--" + option.getLongOpt() + ": cannot be changed when a study is resumed; omit the option");
      }
    }
    arguments.requireNoOperand();
    try (GridFile results = GridFile.open(arguments.path(Flags.RESUME).orElseThrow())) {
      GridFile.Head head = results.head();
      GridStudy study = results.study(text -> study(StudySpecReader.parse(text)));
      GridRow[] rows = new GridRow[study.networks()];
      BitSet done = results.read(study, rows);
      String name = arguments.text(Flags.DEVICE).orElse(head.device());
      try (Backends.Selection device = devices.openFor(name, arguments, err)) {
        DeviceChoice.requirePrecision(device, study.spec().training().precision());
        GridRunner runner = createRunner(device, study);
        if (done.cardinality() < study.networks()) {
          Numerics now = numerics(runner);
          List<Numerics> resumed = new NumericsCheck(arguments, err).resumed(results.path().toString(), results.numerics(), now);
          if (resumed.size() > results.numerics().size()) {
            results.add(now);
          }
        }
        return train(device, runner, study, results, rows, done, GridEstimate.measure(runner, done));
      }
    }
  }

  private static Numerics numerics(GridRunner runner) {
    return Backends.ofThisVersion(runner.numerics());
  }

  private static GridStudy study(StudyFile file) {
    return file.grid().isPresent() ? file.gridStudy() : GridStudy.ofNetworks(file.spec(), DepthStudy.SEEDS);
  }

  private GridStudy withOptions(GridStudy study) {
    GridStudy adjusted = study.withPrecision(arguments.parsed(Flags.PRECISION, Precision.FP64.key(), Precision::of));
    if (arguments.has(Flags.SEED)) {
      adjusted = adjusted.withSeed(arguments.integer(Flags.SEED, 0, 0, NumpyRandom.MAX_SEED));
    }
    return arguments.has(Flags.SEEDS) ? adjusted.withSeeds((int) arguments.integer(Flags.SEEDS, 1, 1, MAX_SEEDS)) : adjusted;
  }

  /** Returns the name and value of a property that all cells share, or the number of its values: {@code 3 learning rates}. */
  private static String describe(GridStudy study, String name, Function<GridStudy.Cell, Object> property) {
    List<Object> values = study.cells().stream().map(property).distinct().toList();
    return values.size() > 1 ? values.size() + " " + name + "s"
        : name + " " + (values.get(0) instanceof NamedEnum keyed ? keyed.key() : values.get(0));
  }

  private static GridRunner createRunner(Backends.Selection device, GridStudy study) {
    GridRunner runner = new GridRunner(device.backend(), study);
    GridEstimate.requireFits(runner, Runtime.getRuntime().maxMemory());
    return runner;
  }

  private int train(Backends.Selection device, GridRunner runner, GridStudy study, GridFile results, GridRow[] rows, BitSet done,
      GridEstimate estimate) {
    out.println(DeviceChoice.line(device));
    out.println(TerminalText.sanitize(StudyCommand.studyLine(study.spec(),
        describe(study, "initializer", GridStudy.Cell::initializer),
        describe(study, "learning rate", GridStudy.Cell::learningRate))));
    out.println(TerminalText.sanitize(String.format(Locale.ROOT,
        "grid: %,d networks in %d %s; %,d to train, %,.0f steps, about %s, up to %s of memory; results in %s",
        study.networks(), study.cells().size(), study.cells().size() == 1 ? "cell" : "cells",
        estimate.networks(), estimate.steps(), Decimal.duration(estimate.seconds()), GridEstimate.size(estimate.bytes()),
        results.path())));
    out.println();
    out.flush();
    boolean completed;
    boolean quiet = arguments.has(Flags.QUIET);
    try (StopSignal stop = StopSignal.open(quiet ? new PrintStream(PrintStream.nullOutputStream()) : err);
        GridProgress progress = new GridProgress(study.networks(), done.cardinality(), estimate, quiet, err)) {
      completed = runner.run((BitSet) done.clone(), estimate, watcher(stop, progress, results, rows, done));
    }
    if (!completed) {
      err.println(TerminalText.sanitize(String.format(Locale.ROOT,
          "plumb study: stopped; %,d of %,d networks finished; resume with: plumb study --resume %s",
          done.cardinality(), study.networks(), results.path())));
      return ExitCode.STOPPED;
    }
    return finish(new GridResult(study, device.backend().device(), rows), results.head().text().equals(DepthStudy.TEXT));
  }

  private static GridRunner.Watcher watcher(StopSignal stop, GridProgress progress, GridFile results, GridRow[] rows,
      BitSet done) {
    return new GridRunner.Watcher() {
      @Override
      public boolean stopRequested() {
        return stop.isRequested();
      }

      @Override
      public void finished(List<GridRow> finishedRows) {
        results.add(finishedRows);
        for (GridRow row : finishedRows) {
          rows[row.network()] = row;
          done.set(row.network());
        }
        progress.finished(finishedRows.size());
      }

      @Override
      public void worked(double seconds) {
        progress.worked(seconds);
      }
    };
  }

  private int finish(GridResult result, boolean isDepthStudy) {
    new GridTable(result).print(out);
    List<Finding> findings = isDepthStudy ? DepthStudy.findings(result) : GridFindings.of(result);
    GridTable.print(findings, out);
    out.flush();
    json.ifPresent(file -> AtomicFile.write(file, stream -> GridOutput.writeJson(result, Version.CURRENT, stream)));
    csv.ifPresent(file -> AtomicFile.write(file, stream -> GridOutput.writeCsv(result, stream)));
    report.ifPresent(file -> AtomicFile.write(file, stream -> new GridReport(result, findings, new TreeMap<>(Map.of(
        "plumb", Version.CURRENT,
        "java", Runtime.version().toString(),
        "device", result.device().kind().key() + ": " + result.device().name()))).write(stream)));
    return ExitCode.DONE;
  }
}
