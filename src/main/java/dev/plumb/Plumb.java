package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.study.FoldSelection;
import dev.plumb.study.SearchSpace;
import dev.plumb.study.TrialExecutor;
import dev.plumb.study.Tuning;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningSpec;
import dev.plumb.train.Calibration;
import dev.plumb.train.ConfigSelector;
import dev.plumb.train.DataView;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainListener;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import dev.plumb.train.WarmStart;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;

/**
 * The entry point of the library, from a table to predictions:
 *
 * <pre>{@code
 * TableSplit split = Plumb.read(Path.of("iris.csv")).split(0.2, 1);
 * Model model = Plumb.train(split.train(), TrainConfig.DEFAULT.with(c -> c.hidden(64, 64).seed(7)));
 * double accuracy = model.score(split.test()).accuracy();
 * model.save(Path.of("model.safetensors"));
 * String species = model.predict(Plumb.read(Path.of("new.csv"))).className(0);
 * }</pre>
 *
 * <p>Input that cannot be used (a file, a column, a configuration) is an {@link InvalidInputException}, whose message is one
 * line: what is wrong, where, and what would be right. The same table, configuration and seed give the same model, bit for bit,
 * on the same device.
 *
 * <p>Which device was taken, and why, is logged by the {@link System.Logger} {@code dev.plumb} at level INFO.
 */
public final class Plumb {
  private Plumb() {}

  /**
   * Reads a table from a CSV, TSV, NPY, NPZ or IDX file, compressed with gzip or not. {@link TableReader} has options.
   *
   * @throws InvalidInputException when the file cannot be read
   */
  public static Table read(Path file) {
    return TableReader.read(file, ReadOptions.DEFAULT);
  }

  /**
   * Trains a model on {@link Device#AUTO}: the first usable GPU, or the CPU if there is none.
   *
   * @throws InvalidInputException when the table or the configuration cannot be used, or the training diverges in its first epoch
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static Model train(Table table, TrainConfig config) {
    return train(table, config, Device.AUTO);
  }

  /**
   * Trains a model on a device given by its name.
   *
   * @param device auto, cuda, cuda:N, cpu or reference
   * @throws InvalidInputException as for {@link #train(Table, TrainConfig)}, and when the name is none of these
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static Model train(Table table, TrainConfig config, String device) {
    return train(table, config, Device.parse(device));
  }

  /**
   * Trains a model on a device.
   *
   * @throws InvalidInputException as for {@link #train(Table, TrainConfig)}
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static Model train(Table table, TrainConfig config, Device device) {
    return train(table, config, device, TrainListener.NONE);
  }

  /**
   * Trains a model further on other rows, starting from its parameters: with its network and encoding of the features, and a new
   * output layer if the classes or targets differ. Validation rows are held out as for a table with more than 2,000 rows.
   *
   * @param config the configuration; what it says of network and features must be that of the model, or the default, which is ignored
   * @throws InvalidInputException as for {@link #train(Table, TrainConfig)}, and when the configuration asks for another network or
   *     other features than those of the model
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static Model fineTune(Model model, Table table, TrainConfig config, Device device) {
    WarmStart from = new WarmStart(model.trained(), Optional.empty());
    return train(table, from.configured(config), Optional.of(from), device, TrainListener.NONE);
  }

  /**
   * Trains a model on a device. The result is the model of the best epoch: the one with the lowest loss of the validation rows,
   * or of the training rows if there are no validation rows.
   *
   * <p>If the table has at most 2,000 rows and the validation share is automatic, as by default, no rows are held out: number of
   * epochs, weight decay and dropout are chosen by cross-validation before the training, as far as they are automatic, and
   * {@link Model#estimate()} has the scores of the folds.
   *
   * <p>When the listener asks to stop, the training ends within about half a second, or after the current step if a step takes
   * longer, and the result is the model of the best epoch so far. If no epoch is finished, it is the model after the last step.
   *
   * @param listener receives the progress
   * @throws InvalidInputException as for {@link #train(Table, TrainConfig)}
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static Model train(Table table, TrainConfig config, Device device, TrainListener listener) {
    return train(table, config, Optional.empty(), device, listener);
  }

  private static Model train(Table table, TrainConfig config, Optional<WarmStart> from, Device device, TrainListener listener) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingInterruptedException("before its first step");
    }
    try (Backends.Selection selection = Backends.open(device, PlumbLog.usage())) {
      PlumbLog.device("training", selection);
      ConfigSelector.Selection chosen = from.isPresent() ? ConfigSelector.BY_ROWS.select(table, config)
          : select(table, config, selection.backend(), listener);
      PreparedData prepared = PreparedData.of(table, chosen.config(), from,
          selection.backend().dataPrecision(config.precision()));
      prepared.requireFits();
      Calibration.require(prepared, chosen.estimate());
      try (TrainingSession session = selection.backend().open(prepared.network(), prepared.fit().training(), 1)) {
        DataView view = prepared.view();
        Trainer trainer =
            new Trainer(session, prepared.fit(), view.training(), view.validation(), List.of(prepared.start()));
        trainer.run(listener);
        return model(prepared, trainer.states().get(0), selection.backend(), chosen.estimate());
      }
    }
  }

  /** Chooses the automatic values of the configuration; by the number of rows if the listener asks to stop. */
  private static ConfigSelector.Selection select(Table table, TrainConfig config, Backend backend, TrainListener listener) {
    FoldSelection.Listener stop = new FoldSelection.Listener() {
      @Override
      public void started(long epochs) {}

      @Override
      public boolean stopRequested() {
        return listener.stopRequested();
      }
    };
    try (TrialExecutor executor = TrialExecutor.on(backend)) {
      return new FoldSelection(executor, stop, PlumbLog::warning).select(table, config);
    } catch (CancellationException e) {
      return ConfigSelector.BY_ROWS.select(table, config);
    }
  }

  /**
   * Searches hyperparameters in the default space, as {@code plumb tune} does without options.
   *
   * @see #tune(Table, TrainConfig, String, int, Device)
   */
  public static TrainConfig tune(Table table, TrainConfig config, int trials, Device device) {
    return tune(table, config, SearchSpace.defaultFor(config, table), trials, device);
  }

  /**
   * Searches hyperparameters by random search with successive halving, as {@code plumb tune} does. Candidates are judged by the
   * watched metric on five folds, or on held-out rows of a table with more than 2,000 rows. The configuration is kept unless a drawn
   * one is better by more than {@value TuningResult#MIN_STANDARD_ERRORS} standard errors.
   *
   * @param config the configuration without a search, and the values of the hyperparameters that are not searched
   * @param space distributions of the hyperparameters, in the JSON of {@code plumb tune --space}
   * @param trials number of candidates
   * @return the configuration of the winner, without validation rows, to be trained on the same table
   * @throws InvalidInputException when the table, the configuration or the space cannot be used, or all trainings diverged
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   * @throws TrainingInterruptedException when the thread is interrupted; its interrupt status stays set
   */
  public static TrainConfig tune(Table table, TrainConfig config, String space, int trials, Device device) {
    return tune(table, config, SearchSpace.parse(space), trials, device);
  }

  private static TrainConfig tune(Table table, TrainConfig config, SearchSpace space, int trials, Device device) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingInterruptedException("before its first step");
    }
    TuningSpec spec = new TuningSpec(config, space, trials, OptionalInt.empty(), TuningSpec.DEFAULT_RUNGS);
    try (Backends.Selection selection = Backends.open(device, PlumbLog.usage());
        TrialExecutor executor = TrialExecutor.on(selection.backend())) {
      PlumbLog.device("tuning", selection);
      TuningResult result = new Tuning(executor, table, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
      if (result.standings().get(0).isDiverged()) {
        throw new InvalidInputException("the trainings of all candidates diverged; use a space with lower learning rates");
      }
      return result.winner();
    } catch (TrainingInterruptedException e) {
      throw new TrainingInterruptedException("while candidates of a search were in training");
    }
  }

  private static Model model(PreparedData prepared, TrainerState state, Backend backend, Optional<FoldEstimate> estimate) {
    TrainConfig config = prepared.config();
    DataView view = prepared.view();
    double learningRate = prepared.fit().training().learningRate();
    boolean diverged = state.end().equals(Optional.of(TrainerState.End.DIVERGED));
    if (diverged && state.bestEpoch() == 0) {
      throw new InvalidInputException(
          "training diverged in its first epoch; try a learning rate below " + learningRate);
    }
    if (diverged) {
      PlumbLog.warning("training diverged after epoch " + state.epochs() + "; the model is that of epoch " + state.bestEpoch()
          + ", the best before; try a learning rate below " + learningRate);
    }
    SortedMap<String, String> manifest = new TreeMap<>();
    manifest.put("plumb", Version.CURRENT);
    manifest.put("seed", Long.toString(config.seed()));
    manifest.put("numerics", Backends.numerics(backend, prepared.network(), prepared.fit().training(), view.training().rows())
        .text().replace("\n", "; "));
    double[] parameters = state.bestEpoch() > 0 ? state.best() : state.parameters();
    TrainedModel trained = Calibration.model(prepared, parameters, manifest, estimate, backend);
    if (config.calibrate() && Calibration.of(trained).isEmpty()) {
      PlumbLog.warning("the model is not calibrated: an output for a validation row is not finite");
    }
    return new Model(trained, state.history(), estimate);
  }

  /**
   * Loads a model from a file that {@link Model#save}, {@code plumb train} or {@code plumb export} wrote.
   *
   * @throws InvalidInputException when the file cannot be read, or is not a model
   */
  public static Model load(Path file) {
    return new Model(ModelFile.read(file), List.of(), Optional.empty());
  }
}
