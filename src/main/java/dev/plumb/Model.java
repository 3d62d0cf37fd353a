package dev.plumb;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Precision;
import dev.plumb.store.ModelFile;
import dev.plumb.store.OnnxExport;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.Predictions;
import dev.plumb.train.Predictor;
import dev.plumb.train.Scores;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** A trained network, with all that predicting from a table needs. Holds nothing that must be closed. */
public final class Model {
  private final TrainedModel trained;
  private final List<EpochMetrics> history;
  private final String device;

  Model(TrainedModel trained, List<EpochMetrics> history, String device) {
    this.trained = trained;
    this.history = List.copyOf(history);
    this.device = device;
  }

  /**
   * Reads a table as that of the training was read: which columns have numbers and which text, and which words stand for a missing
   * value. {@link Plumb#read} has only the file's content to tell them by.
   *
   * @throws dev.plumb.model.InvalidInputException when it cannot be read
   */
  public Table read(Path file) {
    return TableReader.read(file, trained.encoding().readOptions(ReadOptions.DEFAULT).withoutTargets());
  }

  /**
   * What it says of rows. Their columns are found by name; the targets need not be there.
   *
   * @throws dev.plumb.model.InvalidInputException when a feature is not there, or not of the kind that it was trained on
   */
  public Predictions predict(Table table) {
    return on(predictor -> predictor.predict(table));
  }

  /**
   * How good it is on rows whose truth is known.
   *
   * @throws dev.plumb.model.InvalidInputException as for {@link #predict}, and when a target is not there
   */
  public Scores score(Table table) {
    return on(predictor -> predictor.score(table));
  }

  /** The epochs of its training; empty for a model that was read from a file. */
  public List<EpochMetrics> history() {
    return history;
  }

  /** The network itself: its shape, its parameters, how columns become inputs. */
  public TrainedModel trained() {
    return trained;
  }

  /** Writes it as a safetensors file, which {@link Plumb#load} and PyTorch read. */
  public void save(Path file) {
    ModelFile.write(file, trained);
  }

  /** Writes it as ONNX, with the treatment of columns and the probabilities included. */
  public void saveOnnx(Path file) {
    OnnxExport.write(file, trained);
  }

  private <T> T on(Function<Predictor, T> use) {
    try (Backends.Selection selection = Backends.open(device, Backends.Usage.STANDARD);
        Predictor predictor = new Predictor(selection.backend(), trained, precision(selection))) {
      return use.apply(predictor);
    }
  }

  private Precision precision(Backends.Selection selection) {
    return selection.backend().device().kind() == DeviceInfo.Kind.REFERENCE ? Precision.FP64 : trained.precision();
  }
}
