package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.model.InvalidInputException;
import dev.plumb.report.HtmlReport;
import dev.plumb.report.RunReport;
import dev.plumb.study.FoldSelection;
import dev.plumb.study.TrialExecutor;
import dev.plumb.train.ConfigSelector;
import dev.plumb.train.DataFile;
import dev.plumb.train.RunFolder;
import dev.plumb.train.RunMetadata;
import dev.plumb.train.SavedRun;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainingRequest;
import dev.plumb.train.TrainingResult;
import dev.plumb.train.TrainingRun;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb train}: trains one network on a data file and saves everything in a run folder. */
final class TrainCommand implements Command {
  private static final double MAX_SECONDS = 1e6;
  private static final String STANDARD_INPUT = DataFile.FILE_NEEDED + "standard input";

  private final DeviceChoice devices;

  TrainCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "Train a network on a data file";
  }

  @Override
  public String usage() {
    return "DATA [options]\n--resume RUN [options]";
  }

  @Override
  public String details() {
    return """
        DATA is a table: CSV, TSV, NPY, NPZ (arrays X and y) or IDX, gzipped or not. Text columns are
        one-hot encoded, numbers are standardized, and the best epoch is chosen by held-out rows (by
        cross-validation up to 2,000 rows).

        Creates the run folder DIR/NAME-n with the model, metrics.csv, manifest.json, report.html, events
        for TensorBoard, and a checkpoint from which --resume continues after Ctrl-C or a crash.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb train iris.csv
        plumb train houses.csv --target price --test more-houses.csv --epochs 100
        plumb train --resume runs/iris-1
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(TrainRequest.FIXED);
    options.addAll(List.of(Flags.RESUME, Flags.ALLOW_OTHER_NUMERICS, Flags.CHECKPOINT_EVERY, Flags.IMPORTANCE, Flags.DEVICE,
        Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS));
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Duration every = Duration.ofMillis((long) (1000 * seconds(arguments)));
    NumericsCheck.require(arguments, Flags.RESUME);
    if (arguments.has(Flags.RESUME)) {
      return resume(arguments, every, out, err);
    }
    if (arguments.has(Flags.PRINT_CONFIG)) {
      out.print(TrainConfigJson.text(TrainRequest.effectiveConfig(arguments)));
      return ExitCode.DONE;
    }
    TrainingRequest request = TrainRequest.of(arguments, Optional.empty(), Path.of(""));
    requireFiles(request, arguments);
    try (Backends.Selection device = devices.open(arguments, err)) {
      TrainingRequest adapted = request.withConfig(TrainRequest.configFor(device, request.config(), arguments));
      try (TrainingRun run = begin(adapted, device, arguments, err)) {
        return train(run, device, every, arguments, out, err);
      } catch (CancellationException e) {
        err.println("plumb train: stopped before the training; nothing was written");
        return ExitCode.STOPPED;
      }
    }
  }

  private static TrainingRun begin(TrainingRequest request, Backends.Selection device, Arguments arguments, PrintStream err) {
    try (EpochsProgress progress = new EpochsProgress("folds", arguments.has(Flags.QUIET), err);
        TrialExecutor executor = TrialExecutor.on(device.backend())) {
      TrainingRun.Environment environment = environment(device, arguments, err);
      // An error in the other files is reported in one line, without a note about the folds.
      List<String> notes = new ArrayList<>();
      // Folds would be trained from the beginning, which says little about a warm start.
      ConfigSelector selector =
          request.from().isPresent() ? ConfigSelector.BY_ROWS : new FoldSelection(executor, progress, notes::add);
      TrainingRun run = TrainingRun.begin(request, arguments.given(), environment.withSelector(selector));
      notes.forEach(environment.onNote());
      return run;
    }
  }

  static void requireFiles(TrainingRequest request, Arguments arguments) {
    if (request.data().equals(DataOptions.STREAM)) {
      throw new InvalidInputException(STANDARD_INPUT);
    }
    for (Option option : List.of(Flags.LABELS, Flags.TEST)) {
      if (arguments.path(option).equals(Optional.of(DataOptions.STREAM))) {
        throw new InvalidInputException("--" + option.getLongOpt() + ": " + STANDARD_INPUT);
      }
    }
  }

  private int resume(Arguments arguments, Duration every, PrintStream out, PrintStream err) {
    for (Option option : TrainRequest.FIXED) {
      if (arguments.has(option)) {
        throw new InvalidInputException("--" + option.getLongOpt()
            + ": cannot be changed when a run is resumed; omit the option");
      }
    }
    arguments.requireNoOperand();
    RunFolder folder = arguments.at(Flags.RESUME, () -> RunFolder.open(arguments.path(Flags.RESUME).orElseThrow()));
    try (SavedRun saved = SavedRun.open(folder)) {
      RunMetadata metadata = saved.metadata();
      TrainingRequest request = TrainRequest.of(Arguments.parse(options(), metadata.command()),
          Optional.of(metadata.config()), LocaleEncoding.path(metadata.folder()));
      String device = arguments.text(Flags.DEVICE).orElse(metadata.device());
      try (Backends.Selection selection = devices.openFor(device, arguments, err)) {
        DeviceChoice.requirePrecision(selection, request.config().precision());
        NumericsCheck check = new NumericsCheck(arguments, err);
        try (TrainingRun run = TrainingRun.resume(saved, request, environment(selection, arguments, err),
            (recorded, current) -> check.resumed(folder.path().toString(), recorded, current))) {
          return train(run, selection, every, arguments, out, err);
        }
      }
    }
  }

  static TrainingRun.Environment environment(Backends.Selection device, Arguments arguments, PrintStream err) {
    return new TrainingRun.Environment(
        device.backend(), Version.CURRENT, ConfigSelector.BY_ROWS, arguments.has(Flags.QUIET) ? note -> {} : note -> printNote(note, err));
  }

  private static void printNote(String note, PrintStream err) {
    err.println(TerminalText.sanitize("note: " + note));
  }

  /** Trains a run and writes its files; returns the exit code. */
  static int train(TrainingRun run, Backends.Selection device, Duration every, Arguments arguments, PrintStream out,
      PrintStream err) {
    boolean quiet = arguments.has(Flags.QUIET);
    out.println(DeviceChoice.line(device));
    TrainSummary.printHead(run, out);
    out.flush();
    if (!quiet) {
      TrainSummary.printNotes(run, err);
    }
    try (StopSignal stop = StopSignal.open(" and loses progress since the last checkpoint",
            quiet ? new PrintStream(PrintStream.nullOutputStream()) : err);
        TrainProgress progress = new TrainProgress(run, stop, quiet, err)) {
      run.train(progress, every);
    }
    TrainingResult result = run.finish(
        (finished, file) -> HtmlReport.write(RunReport.of(finished, TrainSummary.reportSummary(finished),
            TrainSummary.reportWarnings(finished)).withImportance(HeldOutImportance.of(finished, run.test(), device.backend(),
                arguments.has(Flags.IMPORTANCE), quiet ? note -> {} : note -> printNote(note, err))), file),
        note -> printNote(note, err));
    TrainSummary.printEnd(result, out);
    out.flush();
    Optional<String> failure = TrainSummary.failure(result);
    failure.ifPresent(text -> err.println(TerminalText.sanitize("plumb train: " + text)));
    return result.state().end().isEmpty() ? ExitCode.STOPPED : failure.isPresent() ? ExitCode.FAILED : ExitCode.DONE;
  }

  private static double seconds(Arguments arguments) {
    double seconds = arguments.number(Flags.CHECKPOINT_EVERY, 30);
    if (!(seconds >= 0 && seconds <= MAX_SECONDS)) {
      throw new InvalidInputException("--" + Flags.CHECKPOINT_EVERY.getLongOpt() + " "
          + arguments.text(Flags.CHECKPOINT_EVERY).get() + ": must be a number of seconds from 0 to " + (long) MAX_SECONDS);
    }
    return seconds;
  }
}
