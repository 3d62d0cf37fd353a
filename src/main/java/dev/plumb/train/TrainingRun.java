package dev.plumb.train;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TensorBoardEvents;
import dev.plumb.store.TrainedModel;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One training run, from the data to the finished run folder: {@link #begin} or {@link #resume}, then {@link #train}, then
 * {@link #finish}. Its folder is locked until the run is closed.
 */
public final class TrainingRun implements AutoCloseable {
  /**
   * The environment of a run.
   *
   * @param version the version of Plumb
   * @param selector chooses the automatic values of the configuration; not used when a run is resumed
   * @param onNote consumer of one-line notes about the data
   */
  public record Environment(Backend backend, String version, ConfigSelector selector, Consumer<String> onNote) {
    /** Returns an environment with another selector. */
    public Environment withSelector(ConfigSelector other) {
      return new Environment(backend, version, other, onNote);
    }
  }

  /** Receives the progress of a run. */
  public interface Listener extends TrainListener {
    /**
     * Called before the first step.
     *
     * @param totalSteps number of steps in all epochs, those before a resume included
     */
    void started(long totalSteps);
  }

  /** Writer of a run's report. */
  @FunctionalInterface
  public interface Report {
    void write(TrainingResult result, OutputStream out) throws IOException;
  }

  private final TrainingRequest request;
  private final Backend backend;
  private final SavedRun saved;
  private final Manifest manifest;
  private final PreparedData prepared;
  private final Optional<Table> test;
  private TrainerState state;

  private TrainingRun(TrainingRequest request, Backend backend, SavedRun saved, PreparedData prepared, Optional<Table> test) {
    this.request = request;
    this.backend = backend;
    this.saved = saved;
    manifest = new Manifest(saved.metadata(), backend.device());
    this.prepared = prepared;
    this.test = test;
    state = saved.state();
  }

  /**
   * Reads the data and creates the run folder with the first checkpoint.
   *
   * @param command the arguments after {@code plumb train}
   * @throws InvalidInputException when a file or the configuration cannot be used, or the device cannot train the network
   */
  public static TrainingRun begin(TrainingRequest request, List<String> command, Environment environment) {
    List<DataFile> files = request.files();
    TrainingRequest.Prepared selected = request.prepare(environment.backend(), environment.selector());
    PreparedData prepared = selected.data();
    // Errors in the test data are reported before training.
    Optional<Table> test = request.readTest(prepared.view(), environment.onNote());
    Backend backend = environment.backend();
    requireTrainable(prepared, backend);
    Calibration.require(prepared, selected.estimate());
    RunMetadata metadata = new RunMetadata(environment.version(), command, Path.of("").toAbsolutePath().toString(),
        backend.device().kind().key(), prepared.config().with(changes -> changes.columns(prepared.view().columns())), files,
        List.of(numerics(prepared, environment)), selected.estimate());
    RunFolder folder = RunFolder.create(request.runs(), request.name(), created -> {
      checkpoint(created, metadata, prepared.start());
      SortedMap<String, Object> figures = figures(prepared, test, selected.estimate());
      figures.put(RunRecord.STATE, RunRecord.BEGUN);
      writeManifest(created, new Manifest(metadata, backend.device()), figures);
    });
    return new TrainingRun(
        request, backend, new SavedRun(folder, folder.lock(), metadata, prepared.start()), prepared, test);
  }

  /**
   * Reads the data of a saved run again.
   *
   * @param request the files and configuration of the run's command
   * @param resumedNumerics returns the numerics to record, from those recorded so far and the current ones; throws an exception
   *     if the run must not be resumed under these. Not called if the training has ended and only its files are written again
   * @throws InvalidInputException when a file has changed, or as in {@link #begin}
   */
  public static TrainingRun resume(SavedRun saved, TrainingRequest request, Environment environment,
      BiFunction<List<Numerics>, Numerics, List<Numerics>> resumedNumerics) {
    String checkpoint = saved.folder().checkpoint().toString();
    RunMetadata metadata = saved.metadata();
    requireSame(metadata.data(), request.files(), checkpoint);
    PreparedData prepared = request.prepare(environment.backend(), ConfigSelector.BY_ROWS).data();
    Optional<Table> test = request.readTest(prepared.view(), environment.onNote());
    requireTrainable(prepared, environment.backend());
    try {
      prepared.requireOwn(saved.state());
    } catch (InvalidInputException e) {
      throw e.at(checkpoint);
    }
    SavedRun resumed = saved.state().end().isPresent() ? saved : saved.withMetadata(metadata.withNumerics(
        resumedNumerics.apply(metadata.numerics(), numerics(prepared, environment))));
    saved.folder().clean();
    return new TrainingRun(request, environment.backend(), resumed, prepared, test);
  }

  private static void requireSame(List<DataFile> recorded, List<DataFile> current, String checkpoint) {
    for (DataFile then : recorded) {
      DataFile now = current.stream().filter(file -> file.role().equals(then.role())).findFirst()
          .orElseThrow(() -> new InvalidInputException(checkpoint + ": the recorded command has no " + then.role() + " file"));
      if (!now.sha256().equals(then.sha256())) {
        throw new InvalidInputException(now.path() + ": the file has changed since the run started (its SHA-256 was "
            + then.sha256() + "); restore it or start a new run");
      }
    }
  }

  private static void requireTrainable(PreparedData prepared, Backend backend) {
    prepared.requireFits();
    backend.refusal(prepared.network(), prepared.fit().training(), 1).ifPresent(refusal -> {
      throw refusal.toException();
    });
  }

  private static Numerics numerics(PreparedData prepared, Environment environment) {
    return environment.backend().numerics(prepared.network(), prepared.fit().training(), prepared.view().training().rows())
        .with("plumb", environment.version());
  }

  /** Returns the run folder. */
  public RunFolder folder() {
    return saved.folder();
  }

  public TrainingRequest request() {
    return request;
  }

  public PreparedData prepared() {
    return prepared;
  }

  /** Returns the estimate by the cross-validation that chose the configuration, if there was one. */
  public Optional<FoldEstimate> estimate() {
    return saved.metadata().estimate();
  }

  /** Returns the test data, if there is any. */
  public Optional<Table> test() {
    return test;
  }

  /** Returns the number of epochs trained so far. */
  public int epochs() {
    return state.epochs();
  }

  /**
   * Trains until the training ends or the listener stops it.
   *
   * @param every the time between checkpoints
   */
  public void train(Listener listener, Duration every) {
    DataView view = prepared.view();
    RunFolder folder = saved.folder();
    try (TrainingSession session = backend.open(prepared.network(), prepared.fit().training(), 1);
        TensorBoardEvents events = TensorBoardEvents.create(folder.path(), state.epochs() + 1L)) {
      Trainer trainer = new Trainer(session, prepared.fit(), view.training(), view.validation(), List.of(state));
      MetricsFile metrics =
          MetricsFile.begin(folder.metrics(), prepared.metric().key(), state.history(), prepared.network().layerCount());
      listener.started((long) prepared.fit().training().epochs() * trainer.stepsPerEpoch());
      trainer.run(recording(listener, metrics, events), every, states -> checkpoint(folder, saved.metadata(), states.get(0)));
      state = trainer.states().get(0);
    }
  }

  private TrainListener recording(Listener listener, MetricsFile metrics, TensorBoardEvents events) {
    return new TrainListener() {
      @Override
      public boolean stopRequested() {
        return listener.stopRequested();
      }

      @Override
      public void stepsFinished(long steps, long totalSteps) {
        listener.stepsFinished(steps, totalSteps);
      }

      @Override
      public void epochFinished(EpochMetrics row, boolean best) {
        metrics.add(row);
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("loss/train", row.trainLoss());
        scalars.put("loss/validation", row.validationLoss());
        scalars.put("metric/" + prepared.metric().key(), row.metric());
        scalars.put("learning rate", row.learningRate());
        for (int layer = 0; layer < row.gradientNorms().length; layer++) {
          scalars.put("gradient norm/layer " + (layer + 1), row.gradientNorms()[layer]);
        }
        events.scalars(row.epoch(), scalars);
        listener.epochFinished(row, best);
      }
    };
  }

  /**
   * Scores the model of the best epoch, and writes the files of the run.
   *
   * @param onUnscored consumer of a note about rows that cannot be scored; the other results are not lost
   */
  public TrainingResult finish(Report report, Consumer<String> onUnscored) {
    RunFolder folder = saved.folder();
    checkpoint(folder, saved.metadata(), state);
    SortedMap<String, Object> figures = figures(prepared, test, estimate());
    figures.put(RunRecord.STATE, state.end().map(TrainerState.End::key).orElse(RunRecord.STOPPED));
    figures.put("epochs", state.epochs());
    figures.put("bestEpoch", state.bestEpoch());
    figures.put("seconds", state.history().stream().mapToDouble(EpochMetrics::seconds).sum());
    Map<String, Scores> scores = new LinkedHashMap<>();
    OptionalDouble temperature = OptionalDouble.empty();
    if (state.bestEpoch() > 0) {
      TrainedModel model = Calibration.model(prepared, state.best(), manifest.texts(), estimate(), backend);
      temperature = Calibration.of(model);
      if (prepared.config().calibrate() && temperature.isEmpty()) {
        onUnscored.accept("the model is not calibrated: an output for a validation row is not finite");
      }
      temperature.ifPresent(value -> figures.put(Calibration.ENTRY, value));
      // Before the scores, which may run out of memory.
      ModelFile.write(folder.model(), model);
      writeManifest(folder, manifest, figures);
      try (TablePredictor predictor = new TablePredictor(backend, model, model.precision())) {
        labeledRows().forEach((name, rows) -> {
          try {
            scores.put(name, predictor.score(rows.table(), rows.encoded().get(), null));
          } catch (InvalidInputException e) {
            onUnscored.accept(name + " rows are not scored: " + e.getMessage());
          }
        });
      }
      scores.forEach((rows, score) -> {
        for (Metric metric : ScoreTable.metrics(prepared)) {
          figures.put(rows + metric.camelCase(), score.value(metric));
          if (metric != Metric.LOSS) {
            figures.put(rows + RunRecord.BASELINE + metric.camelCase(), score.baseline(metric));
          }
        }
      });
    }
    OptionalDouble initialLoss = scores.containsKey("training") ? initialLoss(scores.get("training")) : OptionalDouble.empty();
    initialLoss.ifPresent(loss -> figures.put("initialTrainingLoss", loss));
    TrainingResult result = new TrainingResult(folder, manifest, prepared, state, scores, initialLoss, estimate(), temperature);
    AtomicFile.write(folder.report(), out -> report.write(result, out));
    writeManifest(folder, manifest, figures);
    return result;
  }

  /** Returns the figures of the manifest that are known before the training. */
  private static SortedMap<String, Object> figures(PreparedData prepared, Optional<Table> test, Optional<FoldEstimate> estimate) {
    SortedMap<String, Object> figures = new TreeMap<>();
    DataView view = prepared.view();
    figures.put("network", prepared.network().shape() + " " + prepared.network().description());
    figures.put("parameters", prepared.start().parameters().length);
    figures.put("rows", view.rows());
    figures.put("droppedRows", view.droppedRows());
    figures.put("trainingRows", view.training().rows());
    figures.put("validationRows", view.validation().map(Dataset::rows).orElse(0));
    test.ifPresent(rows -> figures.put("testRows", rows.rows()));
    estimate.ifPresent(folds -> folds.put(figures));
    return figures;
  }

  /** Returns the loss of the training rows before the training if the network has not learned; see {@link TrainingResult}. */
  private OptionalDouble initialLoss(Scores trained) {
    Metric metric = Metric.main(prepared.view().encoding().task());
    double baseline = trained.baseline(metric);
    // A baseline without errors cannot be beaten.
    if (trained.value(metric) > baseline || baseline == 1) {
      return OptionalDouble.empty();
    }
    try (TrainingSession session = backend.open(prepared.network(), prepared.fit().training(), 1)) {
      session.write(Slot.PARAMETERS, 0, prepared.start().parameters());
      double loss = session.evaluate(prepared.view().training()).loss()[0];
      return trained.loss() <= TrainingResult.MIN_GROWTH * loss ? OptionalDouble.empty() : OptionalDouble.of(loss);
    }
  }

  /** Rows to score, and the same rows encoded, with their weights. */
  private record LabeledRows(Table table, Supplier<Dataset> encoded) {}

  private Map<String, LabeledRows> labeledRows() {
    DataView view = prepared.view();
    Map<String, LabeledRows> labeled = new LinkedHashMap<>();
    labeled.put("training", new LabeledRows(view.trainingRows(), view::training));
    view.validationRows().ifPresent(rows -> labeled.put("validation", new LabeledRows(rows, () -> view.validation().orElseThrow())));
    test.ifPresent(rows -> labeled.put("test", new LabeledRows(rows, () -> view.encode(rows, prepared.config()))));
    return labeled;
  }

  private static void checkpoint(RunFolder folder, RunMetadata metadata, TrainerState state) {
    new Checkpoint(List.of(state), metadata.texts()).write(folder.checkpoint());
  }

  private static void writeManifest(RunFolder folder, Manifest manifest, SortedMap<String, Object> figures) {
    AtomicFile.write(folder.manifest(), stream -> manifest.write(stream, figures));
  }

  @Override
  public void close() {
    saved.close();
  }
}
