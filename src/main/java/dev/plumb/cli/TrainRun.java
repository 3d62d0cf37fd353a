package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TensorBoardEvents;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.DataFile;
import dev.plumb.train.DataView;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.Manifest;
import dev.plumb.train.MetricsFile;
import dev.plumb.train.PreparedData;
import dev.plumb.train.RunFolder;
import dev.plumb.train.RunLock;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import dev.plumb.train.TrainListener;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainerState;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** One run of {@code plumb train}, from the data to the finished run folder. */
final class TrainRun {
  private final Backends.Selection device;
  private final boolean quiet;
  private final PrintStream out;
  private final PrintStream err;

  TrainRun(Backends.Selection device, boolean quiet, PrintStream out, PrintStream err) {
    this.device = device;
    this.quiet = quiet;
    this.out = out;
    this.err = err;
  }

  /**
   * Starts a run.
   *
   * @param command the arguments after {@code plumb train}
   * @param every the time between checkpoints
   */
  int begin(TrainRequest request, List<String> command, Duration every) {
    List<DataFile> data = dataFiles(request);
    Table table = TableReader.read(request.data(), request.read());
    PreparedData prepared = prepare(request, table);
    // Errors in the test data are reported before training.
    Optional<Table> test = request.test().map(file -> test(request, prepared, file));
    DeviceInfo info = device.backend().device();
    requireTrainable(prepared);
    RunMetadata metadata = new RunMetadata(Version.CURRENT, command, Path.of("").toAbsolutePath().toString(), info.kind().key(),
        prepared.config().with(changes -> changes.columns(prepared.view().columns())), data, List.of(numerics(prepared)));
    Manifest manifest = manifest(metadata);
    RunFolder folder = RunFolder.create(request.runs(), request.name(), made -> {
      new Checkpoint(List.of(prepared.start()), metadata.texts()).write(made.checkpoint());
      AtomicFile.write(made.manifest(), stream -> manifest.write(stream, new TreeMap<>(Map.of("state", "begun"))));
    });
    RunLock lock = folder.lock();
    try {
      return train(new Work(folder, metadata, manifest, prepared, test, request), prepared.start(), every);
    } finally {
      lock.close();
    }
  }

  int resume(RunFolder folder, Checkpoint checkpoint, RunMetadata metadata, TrainRequest request, Duration every,
      NumericsCheck check) {
    List<DataFile> now = dataFiles(request);
    for (DataFile then : metadata.data()) {
      DataFile same = now.stream().filter(file -> file.role().equals(then.role())).findFirst()
          .orElseThrow(() -> new InvalidInputException(folder.checkpoint() + ": the recorded command has no " + then.role()
          + " file"));
      if (!same.sha256().equals(then.sha256())) {
        throw new InvalidInputException(same.path() + ": the file has changed since the run started (its SHA-256 was "
            + then.sha256() + "); restore it or start a new run");
      }
    }
    Table table = TableReader.read(request.data(), request.read());
    PreparedData prepared = prepare(request, table);
    Optional<Table> test = request.test().map(file -> test(request, prepared, file));
    requireTrainable(prepared);
    try {
      prepared.requireOwn(checkpoint.state());
    } catch (InvalidInputException e) {
      throw e.at(folder.checkpoint().toString());
    }
    // If training has finished, only its files are written again.
    RunMetadata resumed = checkpoint.state().end().isPresent() ? metadata
        : metadata.withNumerics(check.resumed(folder.path().toString(), metadata.numerics(), numerics(prepared)));
    folder.clean();
    return train(new Work(folder, resumed, manifest(resumed), prepared, test, request), checkpoint.state(), every);
  }

  private Numerics numerics(PreparedData prepared) {
    return Backends.numerics(device.backend(), prepared.network(), prepared.fit().training(), prepared.view().training().rows());
  }

  /** The inputs and outputs of a run. */
  private record Work(RunFolder folder, RunMetadata metadata, Manifest manifest, PreparedData prepared, Optional<Table> test,
      TrainRequest request) {
    String metricName() {
      return prepared.view().encoding().task() == Task.CLASSIFICATION ? "accuracy" : "r2";
    }

    List<String> gradientTags() {
      List<String> tags = new ArrayList<>();
      for (int layer = 1; layer <= prepared.network().layerCount(); layer++) {
        tags.add("gradient norm/layer " + layer);
      }
      return tags;
    }
  }

  private int train(Work work, TrainerState from, Duration every) {
    out.println(DeviceChoice.line(device));
    TrainSummary.printHead(work.request(), work.prepared(), out);
    out.flush();
    PreparedData prepared = work.prepared();
    DataView view = prepared.view();
    if (!quiet) {
      view.nearlyUniqueFeatures().forEach(name -> err.println(TerminalText.sanitize("note: column \"" + name
          + "\" has a unique value in most rows, so nothing can be learned from it; exclude it with --features")));
      view.validationRows().ifPresent(rows -> UnknownCategories.note(view.encoding(), rows, "validation rows: ", err));
      work.test().ifPresent(rows -> UnknownCategories.note(view.encoding(), rows, "test rows: ", err));
    }
    TrainerState state;
    try (StopSignal stop = StopSignal.open(quiet ? new PrintStream(PrintStream.nullOutputStream()) : err);
        TrainingSession session = device.backend().open(prepared.network(), prepared.fit().training(), 1);
        TensorBoardEvents events = TensorBoardEvents.create(work.folder().path(), from.epochs() + 1L)) {
      Trainer trainer = new Trainer(session, prepared.fit(), view.training(), view.validation(), List.of(from));
      MetricsFile metrics = MetricsFile.begin(
          work.folder().metrics(), work.metricName(), from.history(), prepared.network().layerCount());
      int epochs = prepared.fit().training().epochs();
      try (TrainProgress progress = new TrainProgress((long) epochs * trainer.stepsPerEpoch(), epochs, from.epochs(),
          view.training().rows(), work.metricName(), quiet, err)) {
        trainer.run(listener(work, stop, events, metrics, progress), every, states -> checkpoint(work, states.get(0)));
        state = trainer.states().get(0);
      }
    }
    checkpoint(work, state);
    return finish(work, state);
  }

  private static TrainListener listener(
      Work work, StopSignal stop, TensorBoardEvents events, MetricsFile metrics, TrainProgress progress) {
    List<String> gradientTags = work.gradientTags();
    return new TrainListener() {
      @Override
      public boolean stopRequested() {
        return stop.isRequested();
      }

      @Override
      public void stepsFinished(long steps, long totalSteps) {
        progress.stepsDone(steps);
      }

      @Override
      public void epochFinished(EpochMetrics row, boolean best) {
        metrics.add(row);
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("loss/train", row.trainLoss());
        scalars.put("loss/validation", row.validationLoss());
        scalars.put("metric/" + work.metricName(), row.metric());
        scalars.put("learning rate", row.learningRate());
        for (int layer = 0; layer < gradientTags.size(); layer++) {
          scalars.put(gradientTags.get(layer), row.gradientNorms()[layer]);
        }
        events.scalars(row.epoch(), scalars);
        progress.epochDone(row);
      }
    };
  }

  private static void checkpoint(Work work, TrainerState state) {
    new Checkpoint(List.of(state), work.metadata().texts()).write(work.folder().checkpoint());
  }

  /** Writes and prints the results of a training that has finished, diverged or been stopped. */
  private int finish(Work work, TrainerState state) {
    Optional<TrainerState.End> end = state.end();
    SortedMap<String, Object> result = new TreeMap<>();
    result.put("state", end.map(TrainerState.End::key).orElse("stopped"));
    result.put("rows", work.prepared().view().rows());
    result.put("droppedRows", work.prepared().view().droppedRows());
    result.put("epochs", state.epochs());
    result.put("bestEpoch", state.bestEpoch());
    result.put("seconds", state.history().stream().mapToDouble(EpochMetrics::seconds).sum());
    Map<String, Scores> scores = new LinkedHashMap<>();
    if (state.bestEpoch() > 0) {
      PreparedData prepared = work.prepared();
      TrainedModel model = new TrainedModel(prepared.network(), prepared.view().loss(), prepared.config().precision(),
          prepared.view().encoding(), state.best(), work.manifest().texts());
      // Before the scores, which may run out of memory.
      ModelFile.write(work.folder().model(), model);
      AtomicFile.write(work.folder().manifest(), stream -> work.manifest().write(stream, result));
      try (TablePredictor predictor = new TablePredictor(device.backend(), model, model.precision())) {
        score("training", predictor, prepared.view().trainingRows(), scores);
        prepared.view().validationRows().ifPresent(rows -> score("validation", predictor, rows, scores));
        work.test().ifPresent(rows -> score("test", predictor, rows, scores));
      }
      scores.forEach((rows, score) -> {
        result.put(rows + "Loss", score.loss());
        result.put(rows + (score instanceof ClassificationScores ? "Accuracy" : "R2"), TrainSummary.metric(score));
      });
    }
    AtomicFile.write(work.folder().report(), stream -> TrainSummary.writeReport(work.folder().path().getFileName().toString(),
        work.manifest(), work.prepared(), state, scores, stream));
    AtomicFile.write(work.folder().manifest(), stream -> work.manifest().write(stream, result));
    TrainSummary.printEnd(work.folder(), state, scores, out);
    out.flush();
    if (end.isEmpty()) {
      err.println(TerminalText.sanitize("plumb train: stopped in epoch " + (state.epochs() + 1)
          + "; resume with: plumb train --resume "
          + work.folder().path()));
      return ExitCode.STOPPED;
    }
    if (end.get() == TrainerState.End.DIVERGED) {
      err.println("plumb train: training diverged: values are not finite in epoch "
          + Math.max(1, state.stepInEpoch() > 0 ? state.epochs() + 1 : state.epochs()) + "; try --lr below "
          + work.prepared().fit().training().learningRate() + " or --clip-norm 1");
      return ExitCode.FAILED;
    }
    if (!scores.containsKey("training")) {
      err.println("plumb train: training diverged: the outputs for the training rows are not finite; try --lr below "
          + work.prepared().fit().training().learningRate() + " or --clip-norm 1");
      return ExitCode.FAILED;
    }
    return ExitCode.DONE;
  }

  /** Scores rows of data; rows that cannot be scored are noted, so that the other results are not lost. */
  private void score(String name, TablePredictor predictor, Table rows, Map<String, Scores> scores) {
    try {
      scores.put(name, predictor.score(rows));
    } catch (InvalidInputException e) {
      err.println(TerminalText.sanitize("note: " + name + " rows are not scored: " + e.getMessage()));
    }
  }

  private Manifest manifest(RunMetadata metadata) {
    List<String> command = new ArrayList<>(metadata.command());
    command.add(0, "train");
    return new Manifest(metadata.plumb(), device.backend().device(), command, metadata.folder(), metadata.data(),
        metadata.config(),
        metadata.numerics());
  }

  private static List<DataFile> dataFiles(TrainRequest request) {
    List<DataFile> files = new ArrayList<>();
    files.add(DataFile.of("data", request.data()));
    request.read().labels().or(() -> TableReader.labelsNextTo(request.data()))
        .ifPresent(file -> files.add(DataFile.of("labels", file)));
    request.test().ifPresent(file -> files.add(DataFile.of("test", file)));
    return files;
  }

  private static PreparedData prepare(TrainRequest request, Table table) {
    try {
      return PreparedData.of(table, request.config());
    } catch (InvalidInputException e) {
      throw e.at(request.data().toString());
    }
  }

  /** Reads the test data in the same format as the training data, without rows with missing values if those are dropped. */
  private Table test(TrainRequest request, PreparedData prepared, Path file) {
    DataView view = prepared.view();
    ReadOptions read = view.encoding().readOptions(ReadOptions.DEFAULT.withFormat(request.read().format()));
    Table table = TableReader.read(file, read);
    try {
      Table usable = view.columns().withCategorical().handleMissing(table);
      view.encoding().encode(usable, view.loss(), prepared.config().precision());
      if (!quiet && usable.rows() < table.rows()) {
        err.println("note: test rows: " + (table.rows() - usable.rows()) + " of " + table.rows()
            + " dropped because of missing values");
      }
      return usable;
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  private void requireTrainable(PreparedData prepared) {
    device.backend().refusal(prepared.network(), prepared.fit().training(), 1).ifPresent(refusal -> {
      throw refusal.toException();
    });
  }
}
