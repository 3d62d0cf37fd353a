package dev.plumb.spark;

import dev.plumb.data.CsvField;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TableUse;
import dev.plumb.data.TextFormat;
import dev.plumb.data.TextLines;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.CollectionAccumulator;

/**
 * Appends predictions to the lines of CSV files, which are read as {@code plumb predict} reads them. Each partition begins with
 * the header, unless it has no lines. Rows are a line, the name of its file and the position in the file where its part begins.
 */
final class ScoredLines implements MapPartitionsFunction<Row, String> {
  private static final long serialVersionUID = 1L;

  private final SharedModel shared;
  private final char delimiter;
  /** Null if the files have none. */
  private final String header;
  /** The header with the added columns; null likewise. */
  private final String scoredHeader;
  /** Null for the model's. */
  private final ArrayList<String> naValues;
  private final int added;
  private final String place;
  private final CollectionAccumulator<ScoringCounts> counts;

  ScoredLines(SharedModel shared, TextLines format, List<String> addedNames, Optional<List<String>> naValues, String place,
      CollectionAccumulator<ScoringCounts> counts) {
    this.shared = shared;
    this.place = place;
    this.counts = counts;
    delimiter = format.delimiter();
    header = format.header().orElse(null);
    added = addedNames.size();
    StringBuilder line = new StringBuilder(header == null ? "" : header);
    addedNames.forEach(name -> line.append(delimiter).append(CsvField.of(name, delimiter)));
    scoredHeader = header == null ? null : line.toString();
    this.naValues = naValues.map(ArrayList::new).orElse(null);
  }

  /** Returns the options for reading the columns of a model. */
  static ReadOptions options(TableEncoding encoding, TextFormat format) {
    return encoding.readOptions(ReadOptions.DEFAULT.withFormat(format)).withoutTargets().withUse(TableUse.IN_PIECES);
  }

  @Override
  public Iterator<String> call(Iterator<Row> rows) {
    TextFormat format = naValues == null ? TextFormat.DEFAULT : TextFormat.DEFAULT.withNaValues(naValues);
    TextLines lines = TextLines.of(options(shared.open().encoding(), format), delimiter, Optional.ofNullable(header));
    Lines unscored = new Lines(rows);
    Iterator<String> scored = new BatchIterator<>(unscored, shared, counts) {
      @Override
      int values(Row row) {
        // A character takes the memory of an eighth of a number.
        return row.getString(0).length() / Double.BYTES;
      }

      @Override
      Table table(List<Row> batch, TrainedModel model) {
        return lines.read(batch.stream().map(row -> row.getString(0)).toList());
      }

      @Override
      String scored(Row row, Predictions predictions, int index) {
        return ScoredLines.this.scored(row.getString(0), predictions, index);
      }

      @Override
      String place(List<Row> batch) {
        String first = batch.get(0).getString(1);
        return batch.stream().allMatch(row -> row.getString(1).equals(first)) ? first : place;
      }
    };
    boolean isEmpty = !scored.hasNext() && !unscored.headerFound;
    return header == null || isEmpty ? scored : new WithHeader(scored);
  }

  private static String line(Row row) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(row.<byte[]>getAs(0))).toString();
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(row.getString(1) + ": is not in UTF-8; save it as UTF-8", e);
    }
  }

  private String scored(String line, Predictions predictions, int row) {
    Object[] values = new Object[added];
    PredictionColumns.put(predictions, row, values, 0);
    StringBuilder text = new StringBuilder(line);
    for (Object value : values) {
      text.append(delimiter).append(value == null ? "" : CsvField.of(value.toString(), delimiter));
    }
    return text.toString();
  }

  /** The header, then the lines. */
  private final class WithHeader implements Iterator<String> {
    private final Iterator<String> lines;
    private boolean begun;

    WithHeader(Iterator<String> lines) {
      this.lines = lines;
    }

    @Override
    public boolean hasNext() {
      return !begun || lines.hasNext();
    }

    @Override
    public String next() {
      if (!begun) {
        begun = true;
        return scoredHeader;
      }
      return lines.next();
    }
  }

  /** The lines as text, with the names of their files, without empty ones and the header of each file. */
  private final class Lines implements Iterator<Row> {
    private final Iterator<Row> rows;
    private Row next;
    /** The file whose header is found. */
    private String file;
    private boolean headerExpected;
    private boolean headerFound;
    private long start = -1;

    Lines(Iterator<Row> rows) {
      this.rows = rows;
    }

    @Override
    public boolean hasNext() {
      while (next == null && rows.hasNext()) {
        Row row = rows.next();
        if (header != null && (row.getLong(2) != start || !row.getString(1).equals(file))) {
          file = row.getString(1);
          start = row.getLong(2);
          headerExpected = start == 0;
        }
        String line = line(row);
        if (line.isEmpty()) {
          continue;
        }
        if (headerExpected) {
          headerExpected = false;
          headerFound = true;
          requireSame(line);
        } else {
          next = RowFactory.create(line, row.getString(1));
        }
      }
      return next != null;
    }

    private void requireSame(String first) {
      if (!first.equals(header)) {
        throw new InvalidInputException(file + ": its first line differs from the header of the other files in " + place
            + "; all files of a folder need the same columns in the same order");
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Row row = next;
      next = null;
      return row;
    }
  }
}
