package dev.plumb.train;

import dev.plumb.backend.InferenceSession;
import dev.plumb.data.RowEncoder;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A model opened for many predictions, such as those of a service. Any number of threads may use one predictor at the same time.
 * A row gets the same prediction, bit for bit, whether it is predicted alone, in a table, or while other threads predict.
 *
 * <p>On the CPU a row is computed by the thread that asks; large tables also use the common pool
 * ({@link java.util.concurrent.ForkJoinPool#commonPool}). On a GPU all calls take turns.
 *
 * <p>When {@link #close} is called, predictions that have begun still return their results; later ones throw an
 * IllegalStateException.
 */
public final class Predictor implements AutoCloseable {
  private final TrainedModel model;
  private final Precision precision;
  private final InferenceSession session;
  private final RowEncoder encoder;

  /** Read-locked while a table is predicted, which takes several calls of the session; {@link #close} write-locks it. */
  private final ReadWriteLock closing = new ReentrantReadWriteLock();

  private boolean closed;

  /**
   * Wraps an opened session; applications call {@code Model.predictor()} instead.
   *
   * @param precision of the session
   * @param session with the parameters of the model; closed by {@link #close}
   */
  public Predictor(TrainedModel model, Precision precision, InferenceSession session) {
    this.model = model;
    this.precision = precision;
    this.session = session;
    encoder = new RowEncoder(model.encoding());
  }

  /** Returns the names of the feature columns, in the order of {@link #predict(double...)}. */
  public List<String> featureNames() {
    return encoder.names();
  }

  /**
   * Predicts the target of every row of a table. Columns are found by name; the target columns are not needed.
   *
   * @throws InvalidInputException when a feature is missing or not of the kind that the model was trained on, a value is beyond
   *     the range of the precision, or there are more results than one array holds
   * @throws IllegalStateException when the predictor is closed
   */
  public Predictions predict(Table table) {
    closing.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("this predictor is closed");
      }
      return TablePredictor.predict(model, table, precision, Precision.FP64,
          (rows, outputs) -> session.outputs(rows.featureRows(0, rows.rows()), rows.rows(), outputs));
    } finally {
      closing.readLock().unlock();
    }
  }

  /**
   * Predicts the target of one row of numbers.
   *
   * @param features in the order of {@link #featureNames}; NaN for a missing value
   * @return the prediction for row 0
   * @throws InvalidInputException when the number of features is wrong, the model has text features, a value is missing and the
   *     model does not fill it in, or a value is beyond the range of the precision
   * @throws IllegalStateException when the predictor is closed
   */
  public Predictions predict(double... features) {
    return predictEncoded(encoder.encode(features, precision));
  }

  /**
   * Predicts the target of one row.
   *
   * @param row by column: a {@link Number} for a numeric feature, text for a text feature, null for a missing value. Every
   *     feature must have an entry; other entries are ignored
   * @return the prediction for row 0
   * @throws InvalidInputException when an entry is missing or of the wrong type, a value is missing and the model does not fill
   *     it in, or a value is beyond the range of the precision
   * @throws IllegalStateException when the predictor is closed
   */
  public Predictions predict(Map<String, ?> row) {
    return predictEncoded(encoder.encode(row, precision));
  }

  private Predictions predictEncoded(double[] x) {
    double[] outputs = new double[model.network().outputs()];
    session.outputs(x, 1, outputs);
    return new Predictions(model, outputs);
  }

  /** Waits for the predictions that have begun, then releases the device. Closing twice has no effect. */
  @Override
  public void close() {
    closing.writeLock().lock();
    try {
      closed = true;
      session.close();
    } finally {
      closing.writeLock().unlock();
    }
  }
}
