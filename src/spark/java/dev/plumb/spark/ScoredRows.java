package dev.plumb.spark;

import dev.plumb.data.RowTable;
import dev.plumb.data.Table;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.CollectionAccumulator;

/** Adds predictions to typed rows: those of Parquet, or of any data frame. */
final class ScoredRows implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  private final SharedModel shared;
  private final int[] positions;
  private final int added;
  private final String place;
  private final CollectionAccumulator<ScoringCounts> counts;

  private ScoredRows(SharedModel shared, int[] positions, int added, String place, CollectionAccumulator<ScoringCounts> counts) {
    this.shared = shared;
    this.positions = positions;
    this.added = added;
    this.place = place;
    this.counts = counts;
  }

  /**
   * Returns the rows with the added columns; nothing is computed yet.
   *
   * @param place name of the rows for messages
   * @param counts receives those of each partition; null if a row that cannot be predicted is an exception
   * @throws dev.plumb.model.InvalidInputException when a column is missing or of a wrong type, or a name is taken
   */
  static Dataset<Row> of(Dataset<Row> rows, SharedModel shared, String place, CollectionAccumulator<ScoringCounts> counts) {
    TrainedModel model = shared.open();
    StructType schema = PredictionColumns.checkedSchema(model, rows.schema(), place);
    int[] positions = PredictionColumns.positions(model, rows.schema());
    return rows.mapPartitions(
        new ScoredRows(shared, positions, PredictionColumns.count(model), place, counts), Encoders.row(schema));
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    return new BatchIterator<>(rows, shared, counts) {
      @Override
      int values(Row row) {
        return row.size();
      }

      @Override
      Table table(List<Row> batch, TrainedModel model) {
        RowTable table = new RowTable(model.encoding());
        for (Row row : batch) {
          for (int i = 0; i < positions.length; i++) {
            table.add(i, row.get(positions[i]));
          }
        }
        return table.table();
      }

      @Override
      Row scored(Row row, Predictions predictions, int index) {
        Object[] values = new Object[row.size() + added];
        for (int i = 0; i < row.size(); i++) {
          values[i] = row.get(i);
        }
        PredictionColumns.put(predictions, index, values, row.size());
        return RowFactory.create(values);
      }

      @Override
      String place(List<Row> batch) {
        return place;
      }
    };
  }
}
