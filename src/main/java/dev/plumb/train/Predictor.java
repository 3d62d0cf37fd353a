package dev.plumb.train;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.store.TrainedModel;
import java.util.stream.IntStream;

/** A trained network on a device. Belongs to the thread that opened it. */
public final class Predictor implements AutoCloseable {
  /** At most so many values of inputs and outputs go to a device at once. */
  private static final int MOST_VALUES = 1 << 24;

  private final TrainedModel model;
  private final TrainingSession session;

  /**
   * @param backend closed by whoever opened it, after this
   * @throws dev.plumb.model.InvalidInputException when the device does not compute in that precision
   */
  public Predictor(Backend backend, TrainedModel model, Precision precision) {
    this.model = model;
    // A session is a training's; of it only the loss and the precision matter here.
    TrainingSpec training = TrainingSpec.of(model.loss(), OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(precision);
    session = backend.open(model.network(), training, 1);
    try {
      session.write(Slot.PARAMETERS, 0, model.parameters());
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /** @throws dev.plumb.model.InvalidInputException when the table lacks what the model was trained with */
  public Predictions predict(Table table) {
    int atOnce = Math.max(1, MOST_VALUES / (model.network().inputs() + model.network().outputs()));
    double[] outputs = new double[Math.multiplyExact(table.rows(), model.network().outputs())];
    for (int from = 0; from < table.rows(); from += atOnce) {
      int first = from;
      int count = Math.min(atOnce, table.rows() - from);
      Table piece = count == table.rows() ? table : table.rows(IntStream.range(first, first + count).toArray());
      double[] ofPiece = new double[count * model.network().outputs()];
      session.predict(0, model.encoding().encodeFeatures(piece), ofPiece);
      System.arraycopy(ofPiece, 0, outputs, first * model.network().outputs(), ofPiece.length);
    }
    return new Predictions(model, outputs);
  }

  /** How good the model is on rows whose truth is known. */
  public Scores score(Table table) {
    Dataset rows = model.encoding().encode(table, model.loss());
    double loss = session.evaluate(rows).loss()[0];
    Predictions predictions = predict(table);
    if (model.encoding().task() == Task.CLASSIFICATION) {
      // As the loss's own targets may be 0 and 1, the classes are encoded once more.
      Dataset classes = model.encoding().encode(table);
      int[] truth = new int[table.rows()];
      int[] predicted = new int[table.rows()];
      for (int row = 0; row < truth.length; row++) {
        truth[row] = classes.label(row);
        predicted[row] = predictions.classIndex(row);
      }
      return new Scores.OfClasses(loss, ClassScores.of(model.classNames(), truth, predicted));
    }
    int targets = model.resultColumns();
    double[][] truth = new double[targets][table.rows()];
    double[][] predicted = new double[targets][table.rows()];
    for (int target = 0; target < targets; target++) {
      for (int row = 0; row < table.rows(); row++) {
        truth[target][row] = table.column(predictions.targetNames().get(target)).number(row);
        predicted[target][row] = predictions.number(row, target);
      }
    }
    return new Scores.OfNumbers(loss, predictions.targetNames(), NumberScores.of(truth, predicted), truth, predicted);
  }

  @Override
  public void close() {
    session.close();
  }
}
