package dev.plumb.spark;

import dev.plumb.data.Table;
import dev.plumb.data.TextLines;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Predicts the rows of a partition batch by batch, in their order.
 *
 * @param <I> type of the rows
 * @param <O> type of the rows with their predictions
 */
abstract class BatchIterator<I, O> implements Iterator<O> {
  /** Approximate number of values of a batch: those of its rows, and the inputs and outputs of the network. */
  private static final int BATCH_VALUES = 1 << 18;
  private static final int MAX_ROWS = 8192;

  /** Whether scoring jobs in this process end early, because a row was refused. */
  static volatile boolean stopped;

  private final Iterator<I> rows;
  private final SharedModel shared;
  private final TrainedModel model;
  private final TaskContext task = TaskContext.get();
  /** Null if nothing is counted, and a row that cannot be predicted is an exception. */
  private final CollectionAccumulator<ScoringCounts> sink;
  private final ScoringCounts counts = new ScoringCounts();
  /** The number of inputs and outputs of the network. */
  private final int networkValues;
  private Iterator<O> ready = Collections.emptyIterator();
  private TaskPredictor predictor;
  private boolean ended;

  BatchIterator(Iterator<I> rows, SharedModel shared, CollectionAccumulator<ScoringCounts> sink) {
    this.rows = rows;
    this.shared = shared;
    this.sink = sink;
    model = shared.open();
    networkValues = model.network().inputs() + model.network().outputs();
  }

  /** Returns the approximate number of values of a row, including those that the model does not read. */
  abstract int values(I row);

  /** Returns the table of some rows. */
  abstract Table table(List<I> batch, TrainedModel model);

  /** Returns a row of a batch with its prediction. */
  abstract O scored(I row, Predictions predictions, int index);

  /** Returns the name of the place of some rows, for messages. */
  abstract String place(List<I> batch);

  @Override
  public boolean hasNext() {
    while (!ready.hasNext() && !ended) {
      try {
        fill();
      } catch (InvalidInputException e) {
        if (sink == null) {
          throw e;
        }
        counts.refusal = e.getMessage();
        end();
      }
    }
    return ready.hasNext();
  }

  @Override
  public O next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }

  private void fill() {
    List<I> batch = new ArrayList<>();
    int blockRows = TaskPredictor.blockRows(shared);
    long values = 0;
    while (batch.size() < MAX_ROWS && (batch.size() % blockRows != 0 || values < BATCH_VALUES) && rows.hasNext()) {
      I row = rows.next();
      batch.add(row);
      values += values(row) + networkValues;
    }
    if (batch.isEmpty() || sink != null && stopped) {
      end();
      return;
    }
    ready = score(batch);
  }

  private Iterator<O> score(List<I> batch) {
    try {
      return TextLines.withoutPlace(() -> {
        Table table = table(batch, model);
        Predictions predictions = predictor().predict(table);
        count(table, predictions);
        return new Scored(batch, predictions);
      });
    } catch (InvalidInputException e) {
      throw e.at(place(batch));
    }
  }

  private TaskPredictor predictor() {
    if (predictor == null) {
      predictor = new TaskPredictor(shared, task);
      // Also if the rest of the rows is not asked for.
      task.addTaskCompletionListener((TaskCompletionListener) completed -> predictor.close());
    }
    return predictor;
  }

  private void count(Table table, Predictions predictions) {
    if (sink == null) {
      return;
    }
    counts.rows += table.rows();
    ScoringCounts.add(counts.unknown, model.encoding().unknownCategories(table));
    ScoringCounts.add(counts.replaced, model.encoding().replaced(table));
    for (int row = 0; row < table.rows(); row++) {
      if (!predictions.isFinite(row) && counts.notFinite++ == 0) {
        counts.firstNotFinite = "a row where " + model.encoding().mostExtremeColumn(table, row);
      }
    }
  }

  private void end() {
    ended = true;
    if (sink != null) {
      sink.add(counts);
    }
  }

  /** The rows of a batch with their predictions, made one by one. */
  private final class Scored implements Iterator<O> {
    private final List<I> batch;
    private final Predictions predictions;
    private int next;

    Scored(List<I> batch, Predictions predictions) {
      this.batch = batch;
      this.predictions = predictions;
    }

    @Override
    public boolean hasNext() {
      return next < batch.size();
    }

    @Override
    public O next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return scored(batch.get(next), predictions, next++);
    }
  }
}
