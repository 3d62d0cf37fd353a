package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableUse;
import dev.plumb.model.InvalidInputException;
import dev.plumb.report.CrossValidationReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.CrossValidation;
import dev.plumb.study.CrossValidationOutput;
import dev.plumb.study.CrossValidationResult;
import dev.plumb.study.CrossValidationSpec;
import dev.plumb.study.TrialExecutor;
import dev.plumb.study.TrialJob;
import dev.plumb.train.TrainingRequest;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb cv}: estimates by cross-validation how well a network predicts new rows. */
final class CvCommand implements Command {
  private static final int DEFAULT_FOLDS = 5;

  /** Options of {@code plumb train} that this command lacks, or describes in another way. */
  private static final List<Option> ONLY_OF_TRAIN =
      List.of(Flags.TEST, Flags.FROM, Flags.PRINT_CONFIG, Flags.NAME, Flags.RUNS, Flags.SEED, Flags.SPLIT_SEED);

  private static final Option SEED = Flags.meaning(Flags.SEED, "N",
      "Random seed for the folds and, in each fold, the split, the initial weights, the batches and dropout (default: 42).");
  private static final Option SPLIT_SEED = Flags.meaning(Flags.SPLIT_SEED, "N",
      "Random seed for the folds and the splits only; everything else still uses --seed (default: the seed of --seed).");
  private static final Option SEEDS = Flags.meaning(Flags.SEEDS, "N",
      "Train each fold from N consecutive seeds, starting at --seed; they share the split of --seed (default: 1).");
  private static final Option OTHER_NUMERICS = Flags.meaning(Flags.ALLOW_OTHER_NUMERICS,
      "With --on, accept results of executors whose last bits may differ: other processors, Java or BLAS library.");
  private static final Option CSV = Flags.meaning(Flags.CSV, "FILE", "Write the out-of-fold predictions to FILE as CSV.");

  private final DeviceChoice devices;

  CvCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "cv";
  }

  @Override
  public String summary() {
    return "Estimate by cross-validation how well a network predicts new rows";
  }

  @Override
  public String usage() {
    return "DATA [options]";
  }

  @Override
  public String details() {
    return """
        DATA is a table as for plumb train; - stands for standard input. Its rows are divided into K folds.
        For each fold, a network is trained on the rows of the other folds, as plumb train does, and
        evaluated on the rows of the fold, as plumb evaluate does.

        For classes, every fold has the same proportion of each class. --group keeps related rows in one
        fold; --time sorts the rows and predicts each fold from earlier rows.

        Prints the scores of each fold, their mean, sample standard deviation (sd) and the 95 % confidence
        interval of the mean by Student's t. Folds share training rows, so the interval is too narrow.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb cv iris.csv
        plumb cv patients.csv --group patient --folds 10 --csv predictions.csv
        plumb cv sales.csv --target amount --time date --report sales.html
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(List.of(Flags.FOLDS, Flags.GROUP, Flags.TIME, Flags.REPEATS, SEED, SPLIT_SEED, SEEDS, Flags.JSON,
        CSV, Flags.REPORT));
    TrainRequest.FIXED.stream().filter(option -> !ONLY_OF_TRAIN.contains(option)).forEach(options::add);
    options.addAll(List.of(Flags.DEVICES, Flags.ON, OTHER_NUMERICS, Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS));
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    TrainingRequest request = TrainRequest.of(arguments, Optional.empty(), Path.of(""));
    FoldOptions folds = new FoldOptions(arguments.integer(Flags.FOLDS, DEFAULT_FOLDS, 2), arguments.integer(Flags.REPEATS, 1, 1),
        arguments.text(Flags.GROUP), arguments.text(Flags.TIME));
    int seeds = arguments.integer(Flags.SEEDS, 1, 1);
    CommandFiles files = new CommandFiles(arguments).readsData(request.data());
    arguments.text(Flags.CONFIG).filter(text -> !text.stripLeading().startsWith("{"))
        .ifPresent(text -> files.reads("the --config file", arguments.path(Flags.CONFIG).orElseThrow()));
    files.writes(Flags.JSON, Flags.CSV, Flags.REPORT).check();
    NumericsCheck.require(arguments, Flags.ON);
    if (arguments.has(Flags.ON) && request.data().equals(DataOptions.STREAM)) {
      throw new InvalidInputException("-: --on needs a file, which is sent to the executors");
    }
    // Errors of the specification are reported before the data is read.
    new CrossValidationSpec(request.config(), folds, seeds);
    Table table = DataOptions.read(
        request.data(), request.read().withUse(TableUse.encoded(request.config().precision())), System.in);
    try (Backends.Selection device = devices.openSeveral(arguments, err);
        TrialExecutor executor = DeviceChoice.executor(device, arguments, name(), err)) {
      CrossValidationSpec spec = new CrossValidationSpec(TrainRequest.configFor(device, request.config(), arguments), folds, seeds);
      CrossValidation validation = at(request.data(), () -> {
        executor.describe(() -> TrialJob.of(spec, request.files()), new NumericsChanges(arguments, err));
        return new CrossValidation(executor, table, spec);
      });
      List<String> leaks = validation.leaks();
      CvSummary.printHead(DeviceChoice.line(device, executor.device()), request, validation, out);
      out.flush();
      if (!arguments.has(Flags.QUIET)) {
        LeakNote.print(leaks, err);
        MissingNote.training(validation.table(), validation.spec().config().columns(), err);
      }
      Optional<CrossValidationResult> finished = train(validation, arguments.has(Flags.QUIET), err);
      if (finished.isEmpty()) {
        err.println("plumb cv: stopped; nothing was written");
        return ExitCode.STOPPED;
      }
      CrossValidationResult result = finished.get();
      CvSummary.printScores(result, out);
      out.flush();
      CvSummary.reportDiverged(result, err);
      arguments.path(Flags.JSON).ifPresent(file -> AtomicFile.write(file, stream ->
          CrossValidationOutput.writeJson(result, Version.CURRENT, request.data().toString(), leaks, stream)));
      arguments.path(Flags.CSV).ifPresent(file -> AtomicFile.write(file, stream -> CrossValidationOutput.writeCsv(result, stream)));
      arguments.path(Flags.REPORT).ifPresent(file -> AtomicFile.write(file, stream ->
          new CrossValidationReport(request.name(), result, leaks, CvSummary.configuration(request, result),
              DeviceChoice.manifest(result.device(), "cv", arguments)).write(stream)));
      return result.diverged() == 0 ? ExitCode.DONE : ExitCode.FAILED;
    }
  }

  private static Optional<CrossValidationResult> train(CrossValidation validation, boolean quiet, PrintStream err) {
    try (EpochsProgress progress = new EpochsProgress("cv", quiet, err)) {
      progress.started(validation.epochs());
      return validation.run(progress);
    }
  }

  /** Returns what the supplier returns; its error message gets the file in front, unless it starts with an option. */
  private static <T> T at(Path data, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw e.getMessage().startsWith("--") ? e : e.at(data.equals(DataOptions.STREAM) ? "standard input" : data.toString());
    }
  }
}
