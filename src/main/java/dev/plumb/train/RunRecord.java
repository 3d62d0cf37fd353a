package dev.plumb.train;

import dev.plumb.data.Task;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.model.Excerpt;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A run as its manifest and its metrics describe it, without its weights. Reading it does not change its folder, so the run may be
 * in training; its lock is tried for a moment, to see whether it is.
 *
 * @param folder the run folder as given
 * @param status whether the training has ended, and how
 * @param changed the time at which the run's files were last written
 * @param plumb the version of Plumb that wrote the manifest
 * @param device kind and name of the device: "cpu (2 threads)"
 * @param config the configuration; absent keys have their defaults, and the loss is that of the task
 * @param data the files that were read
 * @param network shape and activation: "4-100-100-3 relu"; only the hidden layers if an earlier version wrote the manifest
 * @param parameters number of parameters; empty if an earlier version wrote the manifest
 * @param rows numbers of rows by their role: "used", "dropped", "training", "validation", "test", as far as known
 * @param metric the metric in the history
 * @param history the metrics of the finished epochs
 * @param bestEpoch the epoch with the best value of the watched metric, from 1; 0 before the end of the first epoch
 * @param scores the scores of the best epoch by rows: "training", "validation", "test". While a training is running, and after a
 *     kill, only those of the validation rows, from the history
 * @param baselines the scores of the baseline by rows
 * @param estimate the estimate by the cross-validation that chose the configuration, if there was one
 */
public record RunRecord(Path folder, Status status, Instant changed, String plumb, String device, TrainConfig config,
    List<DataFile> data, String network, OptionalInt parameters, Map<String, Integer> rows, Metric metric,
    List<EpochMetrics> history, int bestEpoch, Map<String, Map<Metric, Double>> scores,
    Map<String, Map<Metric, Double>> baselines, Optional<FoldEstimate> estimate) {
  /** The state of a training. */
  public enum Status implements NamedEnum {
    /** All epochs are finished. */
    FINISHED,
    /** The training was stopped early, because the watched metric no longer improved. */
    STOPPED_EARLY,
    /** A value was not finite. */
    DIVERGED,
    /** A process is training in the folder. */
    RUNNING,
    /** The training was stopped or killed; it can be resumed. */
    INTERRUPTED;

    /** Returns the name for tables: "stopped early". */
    public String label() {
      return key().replace('_', ' ');
    }
  }

  /** Key of the state in the manifest. */
  static final String STATE = "state";
  /** State of a training that has not yet ended or stopped. */
  static final String BEGUN = "begun";
  /** State of a training that was stopped and can be resumed. */
  static final String STOPPED = "stopped";
  /** Part of the keys of the baseline's scores, between rows and metric. */
  static final String BASELINE = "Baseline";
  /** The keys of numbers of rows in the manifest, and the roles of the rows. */
  private static final Map<String, String> COUNTS = Map.of("rows", "used", "droppedRows", "dropped", "trainingRows", "training",
      "validationRows", "validation", "testRows", "test");
  /** The names of rows with scores. */
  private static final List<String> SCORED = List.of("training", "validation", "test");

  public RunRecord {
    data = List.copyOf(data);
    history = List.copyOf(history);
  }

  /** Returns whether a folder is a run folder. */
  public static boolean isRun(Path folder) {
    return !RunFolder.files(folder).isEmpty();
  }

  /**
   * Reads a run folder.
   *
   * @throws InvalidInputException when it is not a run folder, or its manifest or metrics are damaged; the message names the file
   */
  public static RunRecord read(Path path) {
    RunFolder folder = RunFolder.open(path);
    Optional<MetricsFile.Contents> metrics =
        Files.exists(folder.metrics()) ? Optional.of(MetricsFile.read(folder.metrics())) : Optional.empty();
    try {
      return read(folder, JsonInput.read(folder.manifest()), metrics);
    } catch (InvalidInputException e) {
      throw e.at(folder.manifest().toString());
    }
  }

  private static RunRecord read(RunFolder folder, JsonObject manifest, Optional<MetricsFile.Contents> file) {
    TrainConfig config = config(manifest.object("config"));
    Task task = config.columns().task().orElseThrow();
    JsonObject result = manifest.object("result");
    String state = result.text(STATE);
    boolean isRunning = !isEnd(state) && RunLock.isHeld(folder.path());
    MetricsFile.Contents metrics = file.orElseGet(() -> new MetricsFile.Contents(Metric.main(task), List.of()));
    List<EpochMetrics> history = metrics.epochs();
    // The figures of a training that was stopped are out of date as soon as it is resumed.
    boolean isCurrent = result.has("epochs") && result.integer("epochs") == history.size();
    int bestEpoch = isCurrent ? result.integer("bestEpoch") : bestEpoch(history, config.trainer().watch());
    if (bestEpoch < 0 || bestEpoch > history.size()) {
      throw result.fault("bestEpoch", "is " + bestEpoch + ", but " + history.size() + " epochs are finished");
    }
    Map<String, Map<Metric, Double>> scores = scores(result, "", task);
    if (!isCurrent) {
      scores = bestEpoch == 0 ? Map.of() : soFar(history.get(bestEpoch - 1), metrics.metric());
    }
    Map<String, Integer> rows = new LinkedHashMap<>();
    COUNTS.forEach((key, role) -> {
      if (result.has(key)) {
        rows.put(role, result.integer(key));
      }
    });
    JsonObject device = manifest.object("device");
    return new RunRecord(folder.path(), status(state, isRunning), changed(folder), manifest.text("plumb"),
        device.text("kind") + " (" + device.text("name") + ")", config, data(manifest),
        result.has("network") ? result.text("network") : hidden(config),
        result.has("parameters") ? OptionalInt.of(result.integer("parameters")) : OptionalInt.empty(), rows, metrics.metric(),
        history, bestEpoch, scores, scores(result, BASELINE, task), FoldEstimate.of(result));
  }

  private static TrainConfig config(JsonObject json) {
    json.allowOnly(TrainConfigJson.KEYS);
    TrainConfig config = TrainConfigJson.read(json, TrainConfig.DEFAULT);
    Task task = config.columns().task()
        .orElseThrow(() -> new InvalidInputException("the configuration has no task, so it is not that of a run"));
    return config.with(changes -> changes.loss(config.loss(task)));
  }

  private static boolean isEnd(String state) {
    return NamedEnum.keys(TrainerState.End.class).contains(state);
  }

  private static Status status(String state, boolean isRunning) {
    if (Set.of(BEGUN, STOPPED).contains(state)) {
      return isRunning ? Status.RUNNING : Status.INTERRUPTED;
    }
    return switch (NamedEnum.parse(TrainerState.End.class, STATE, state)) {
      case EPOCHS -> Status.FINISHED;
      case EARLY_STOPPING -> Status.STOPPED_EARLY;
      case DIVERGED -> Status.DIVERGED;
    };
  }

  private static Instant changed(RunFolder folder) {
    return Stream.of(folder.manifest(), folder.metrics(), folder.checkpoint()).filter(Files::exists).map(file -> {
      try {
        return Files.getLastModifiedTime(file).toInstant();
      } catch (IOException e) {
        throw FileErrors.cannotRead(file, e);
      }
    }).max(Instant::compareTo).orElse(Instant.EPOCH);
  }

  private static String requireFileName(JsonObject file, String path) {
    try {
      if (Path.of(path).getFileName() != null) {
        return path;
      }
    } catch (InvalidPathException e) {
      // The message below says all of it.
    }
    throw file.fault("path", "is \"" + Excerpt.of(path) + "\", which is not the path of a file");
  }

  private static List<DataFile> data(JsonObject manifest) {
    List<DataFile> files = new ArrayList<>();
    for (JsonObject file : manifest.objects("data")) {
      files.add(new DataFile(file.text("role"), requireFileName(file, file.text("path")), file.text("sha256")));
    }
    return files;
  }

  private static String hidden(TrainConfig config) {
    return (config.hidden().isEmpty() ? "linear"
        : config.hidden().stream().map(String::valueOf).collect(Collectors.joining("-")) + " " + config.activation().key());
  }

  private static Map<String, Map<Metric, Double>> scores(JsonObject result, String part, Task task) {
    Map<String, Map<Metric, Double>> scores = new LinkedHashMap<>();
    for (String rows : SCORED) {
      Map<Metric, Double> values = new EnumMap<>(Metric.class);
      for (Metric metric : Metric.values()) {
        String key = rows + part + metric.camelCase();
        if (metric.appliesTo(task) && result.keys().contains(key)) {
          values.put(metric, result.number(key, Double.NaN));
        }
      }
      if (!values.isEmpty()) {
        scores.put(rows, values);
      }
    }
    return scores;
  }

  /**
   * Returns the validation scores of an epoch; none without validation rows, and no errors: those of the history are not in the
   * target's unit.
   */
  private static Map<String, Map<Metric, Double>> soFar(EpochMetrics epoch, Metric metric) {
    if (Double.isNaN(epoch.validationLoss())) {
      return Map.of();
    }
    Map<Metric, Double> values = new EnumMap<>(Map.of(Metric.LOSS, epoch.validationLoss()));
    if (metric != Metric.MAE && metric != Metric.RMSE) {
      values.put(metric, epoch.metric());
    }
    return Map.of("validation", values);
  }

  /** Returns the best epoch as the trainer does: the first of several with the same value. */
  private static int bestEpoch(List<EpochMetrics> history, Metric watch) {
    int best = 0;
    double bestValue = Double.POSITIVE_INFINITY;
    for (EpochMetrics epoch : history) {
      double value = watch != Metric.LOSS ? (watch.isHigherBetter() ? -epoch.metric() : epoch.metric())
          : Double.isNaN(epoch.validationLoss()) ? epoch.trainLoss() : epoch.validationLoss();
      if (value < bestValue || best == 0) {
        best = epoch.epoch();
        bestValue = Double.isNaN(value) ? Double.POSITIVE_INFINITY : value;
      }
    }
    return best;
  }

  /** Returns the task of the run. */
  public Task task() {
    return config.columns().task().orElseThrow();
  }

  /** Returns the name of the folder. */
  public String name() {
    return folder.toAbsolutePath().normalize().getFileName().toString();
  }

  /** Returns the file of a role: "data", "labels", "test", "from". */
  public Optional<DataFile> file(String role) {
    return data.stream().filter(file -> file.role().equals(role)).findFirst();
  }

  /** Returns the duration of the finished epochs in seconds. */
  public double seconds() {
    return history.stream().mapToDouble(EpochMetrics::seconds).filter(Double::isFinite).sum();
  }

  /** Returns the number of rows of a role; empty if there are none, or an earlier version wrote the manifest. */
  public OptionalInt count(String role) {
    return rows.containsKey(role) ? OptionalInt.of(rows.get(role)) : OptionalInt.empty();
  }
}
