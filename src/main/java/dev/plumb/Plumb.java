package dev.plumb;

import dev.plumb.backend.TrainingSession;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Fit;
import dev.plumb.train.FitState;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainingInterruptedException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Plumb as a library, from a table to predictions:
 *
 * <pre>{@code
 * Table table = Plumb.read(Path.of("iris.csv"));
 * Model model = Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.hidden(64, 64).seed(7)));
 * Predictions predictions = model.predict(Plumb.read(Path.of("new.csv")));
 * String species = predictions.className(0);
 * model.save(Path.of("model.safetensors"));
 * }</pre>
 *
 * <p>What cannot be used (a file, a column, a configuration) is an {@link InvalidInputException} whose message is one line that
 * says what, where, and what would be right. The same seed gives the same model on the same device.
 */
public final class Plumb {
  private static final String CPU = "cpu";
  private static final Duration NO_CHECKPOINT = Duration.ofSeconds(Long.MAX_VALUE / 1_000_000_000L);

  private Plumb() {}

  /** Reads a table: CSV, TSV, NPY, NPZ or IDX, gzipped or not. {@link TableReader} has more to choose. */
  public static Table read(Path file) {
    return TableReader.read(file, ReadOptions.DEFAULT);
  }

  /** Trains a network on the CPU. */
  public static Model train(Table table, TrainConfig config) {
    return train(table, config, CPU);
  }

  /**
   * Trains a network. An interrupt of the thread ends the training soon.
   *
   * @param device auto, cuda, cuda:N, cpu or reference; the model will use it too
   * @throws InvalidInputException when the table or the configuration cannot be used
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used here
   * @throws TrainingInterruptedException when the thread was interrupted; its interrupt status is kept
   */
  public static Model train(Table table, TrainConfig config, String device) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingInterruptedException("before its first step");
    }
    PreparedData prepared = PreparedData.of(table, config);
    try (Backends.Selection selection = Backends.open(device, Backends.Usage.STANDARD);
        TrainingSession session = selection.backend().open(prepared.network(), prepared.fit().training(), 1)) {
      FitState state = new Fit(session, prepared.fit(), prepared.training(), prepared.validation(), prepared.start())
          .run(NO_CHECKPOINT, new Fit.Watcher() {});
      if (state.bestEpoch() == 0) {
        throw new InvalidInputException(
            "training diverged in its first epoch; try a learning rate below " + config.learningRate());
      }
      SortedMap<String, String> manifest = new TreeMap<>();
      manifest.put("plumb", Version.CURRENT);
      manifest.put("seed", Long.toString(config.seed()));
      manifest.put("numerics", Backends.numerics(selection.backend(), prepared.network(), prepared.fit().training(),
          prepared.training().rows()).text().replace("\n", "; "));
      TrainedModel trained = new TrainedModel(prepared.network(), prepared.loss(), config.precision(), prepared.encoding(),
          state.best(), manifest);
      return new Model(trained, state.history(), device);
    }
  }

  /** Reads a model that {@link Model#save}, {@code plumb train} or {@code plumb export} wrote. It predicts on the CPU. */
  public static Model load(Path file) {
    return new Model(ModelFile.read(file), List.of(), CPU);
  }
}
