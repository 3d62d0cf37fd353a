package dev.plumb.train;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Task;
import dev.plumb.model.OptimizerSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Writer of made-up run folders with manifest, metrics and an empty checkpoint. */
public final class RunFolders {
  /** A configuration for classes. */
  public static final TrainConfig CLASSES = TrainConfig.DEFAULT.with(changes -> {
    changes.columns(columns(Task.CLASSIFICATION)).validation(0.2).epochs(10).dropout(0).earlyStopping(0);
    changes.optimizer(OptimizerSpec.Adam.DEFAULT_W);
  });
  /** A configuration for numbers. */
  public static final TrainConfig NUMBERS = CLASSES.with(changes -> changes.columns(columns(Task.REGRESSION)));

  private RunFolders() {}

  private static EncodingOptions columns(Task task) {
    return new EncodingOptions(List.of("y"), List.of("a", "b"), List.of(), List.of(), Optional.of(task), true,
        EncodingOptions.DEFAULT.missing());
  }

  /** Returns a data file of a content. */
  public static DataFile data(String role, String path, String content) {
    return new DataFile(role, path, content.repeat(64).substring(0, 64));
  }

  /** Returns the result of a finished training of classes with 30 validation rows. */
  public static Map<String, Object> finished(double accuracy) {
    return new TreeMap<>(Map.ofEntries(Map.entry("state", "epochs"), Map.entry("epochs", 2), Map.entry("bestEpoch", 1),
        Map.entry("rows", 150), Map.entry("droppedRows", 0), Map.entry("validationRows", 30), Map.entry("trainingRows", 120),
        Map.entry("network", "2-4-3 relu"), Map.entry("parameters", 27), Map.entry("validationLoss", 0.25),
        Map.entry("validationAccuracy", accuracy), Map.entry("validationBaselineAccuracy", 0.5),
        Map.entry("trainingAccuracy", 0.9)));
  }

  /** Writes a run of iris.csv with two epochs. */
  public static Path write(Path folder, TrainConfig config, Map<String, Object> result) throws IOException {
    return write(folder, config, result, epochs(2), List.of(data("data", "iris.csv", "a")));
  }

  /** Writes a run. */
  public static Path write(Path folder, TrainConfig config, Map<String, Object> result, List<EpochMetrics> epochs,
      List<DataFile> data) throws IOException {
    Files.createDirectories(folder);
    Files.createFile(folder.resolve("checkpoint.safetensors"));
    RunMetadata metadata = new RunMetadata("1.0", List.of("iris.csv"), "/", "cpu", config, data, List.of(), Optional.empty());
    try (OutputStream out = Files.newOutputStream(folder.resolve("manifest.json"))) {
      new Manifest(metadata, new DeviceInfo(DeviceInfo.Kind.CPU, "2 threads")).write(out, new TreeMap<>(result));
    }
    Metric watch = config.trainer().watch();
    Metric metric = watch != Metric.LOSS ? watch : Metric.main(config.columns().task().orElseThrow());
    MetricsFile.begin(folder.resolve("metrics.csv"), metric.key(), epochs, 1);
    return folder;
  }

  /** Returns epochs with validation losses of 1/2, 1/3, 1/4, ... and half a second each. */
  public static List<EpochMetrics> epochs(int count) {
    List<EpochMetrics> epochs = new ArrayList<>();
    for (int epoch = 1; epoch <= count; epoch++) {
      epochs.add(new EpochMetrics(epoch, 1.0 / epoch, 1.0 / (epoch + 1), 1 - 1.0 / (epoch + 1), 0.01, 0.5, new double[] {1}));
    }
    return epochs;
  }

  /** Replaces text in the manifest of a run. */
  public static void editManifest(Path folder, Consumer<StringBuilder> edit) throws IOException {
    StringBuilder text = new StringBuilder(Files.readString(folder.resolve("manifest.json")));
    edit.accept(text);
    Files.writeString(folder.resolve("manifest.json"), text);
  }

  /** Sets the time at which all files of a run were last written. */
  public static void setTime(Path folder, Instant time) throws IOException {
    for (String name : List.of("manifest.json", "metrics.csv", "checkpoint.safetensors")) {
      Files.setLastModifiedTime(folder.resolve(name), FileTime.from(time));
    }
  }
}
