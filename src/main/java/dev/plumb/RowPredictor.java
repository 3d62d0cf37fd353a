package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.cpu.CpuInference;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import dev.plumb.train.Predictor;
import dev.plumb.train.TablePredictor;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;

/**
 * Predictions of tables by an opened backend. On a CPU, the bits of a row do not depend on the rows that are predicted with it: a
 * file can be divided, and gives the same predictions. For networks whose training uses matrix products of a library, whose last bits
 * depend on the other rows, predictions are computed as by {@link Model#predict}. Belongs to the thread that makes it.
 */
public final class RowPredictor implements AutoCloseable {
  private final TrainedModel model;
  private final Precision precision;
  /** In which features are held. */
  private final Precision held;
  /** Null if the other predicts. */
  private final TablePredictor tables;
  /** Null if a session of the backend predicts rows separately, and on a GPU. */
  private final Predictor separate;
  /** Threads of the separate predictor; null for one per processor. */
  private final ForkJoinPool pool;

  /**
   * Opens a model.
   *
   * @param backend to be closed by the caller, after this
   * @param threads maximum number of CPU threads; 0 for one per processor
   * @throws InvalidInputException when the device does not compute in that precision
   */
  public RowPredictor(Backend backend, TrainedModel model, Precision precision, int threads) {
    this.model = model;
    this.precision = precision;
    held = backend.dataPrecision(precision);
    boolean bySession = backend.device().kind() != DeviceInfo.Kind.CPU || backend.predictsRowsSeparately(model.network());
    tables = bySession ? new TablePredictor(backend, model, precision) : null;
    separate = bySession ? null
        : new Predictor(model, precision, CpuInference.open(model.network(), precision, model.parameters()));
    pool = bySession || threads == 0 ? null : new ForkJoinPool(threads);
  }

  /**
   * Predicts all rows of a table.
   *
   * @throws InvalidInputException as for {@link TablePredictor#predict(Table)}
   */
  public Predictions predict(Table table) {
    if (separate == null) {
      return tables.predict(table);
    }
    // Parallel streams use the pool of the task that starts them.
    return pool == null ? separate.predict(table) : pool.invoke(ForkJoinTask.adapt(() -> separate.predict(table)));
  }

  /** Cuts a table into pieces of consecutive rows that take little memory to predict. Results are those of the whole table. */
  public List<Table> pieces(Table table) {
    return TablePredictor.pieces(model, table);
  }

  /**
   * Checks that every row can be encoded, before the first piece is predicted.
   *
   * @throws InvalidInputException as for {@link TablePredictor#requirePredictable}
   */
  public void requirePredictable(Table table) {
    TablePredictor.requirePredictable(model, table, precision, held);
  }

  @Override
  public void close() {
    if (separate != null) {
      separate.close();
    }
    if (pool != null) {
      pool.shutdown();
    }
    if (tables != null) {
      tables.close();
    }
  }
}
