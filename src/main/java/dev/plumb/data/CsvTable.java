package dev.plumb.data;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.PushbackReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Parser of delimited text: quotes as in RFC 4180, lines that end in LF, CR or CR LF, empty lines and blanks around fields
 * ignored. Fields go from the reader's buffer into the columns without becoming objects.
 */
final class CsvTable extends AbstractBaseCsvCallbackHandler<Boolean> {
  private static final int SAMPLE_CHARS = 1 << 16;
  private static final int SAMPLE_ROWS = 1000;
  /** Limit of sampled fields, which are objects until the types are settled: fewer rows of wide tables are sampled. */
  private static final int SAMPLE_FIELDS = 200_000;
  private static final int ROWS_BETWEEN_CHECKS = 1 << 15;
  private static final int MAX_FIELD_CHARS = 1 << 24;
  private static final int COLUMNS_BETWEEN_CHECKS = 1 << 12;

  private final ByteSource source;
  private final ReadOptions options;
  private final HeapBudget budget;
  private final NaValues missing;
  private final List<CsvColumn> columns = new ArrayList<>();
  private final Map<String, Integer> columnNumbers = new HashMap<>();
  private final boolean hasHeader;
  private boolean headerExpected;
  /** Line of the current record. */
  private long line;
  private int fields;
  private boolean lastIsEmpty;
  /** Characters of all fields and their separators. */
  private long length;
  private boolean allSettled;
  private long firstLine;
  private long rows;

  private CsvTable(ByteSource source, ReadOptions options, HeapBudget budget, CsvDialect dialect) {
    this.source = source;
    this.options = options;
    this.budget = budget;
    missing = new NaValues(options.format().lowerCaseNaValues());
    hasHeader = dialect.header();
    headerExpected = hasHeader;
  }

  static Table read(ByteSource source, ReadOptions options, HeapBudget budget) throws IOException {
    if (source.startsWith(0xFF, 0xFE) || source.startsWith(0xFE, 0xFF)) {
      throw new InvalidInputException("is in UTF-16; save it as UTF-8");
    }
    PushbackReader text = new PushbackReader(new Utf8Reader(source.in()), SAMPLE_CHARS);
    CsvDialect dialect = CsvDialect.detect(sample(text), options);
    BlankNormalizingReader spaced = new BlankNormalizingReader(text, dialect.delimiter());
    CsvTable table = new CsvTable(source, options, budget, dialect);
    try (CsvReader<Boolean> reader = CsvReader.builder().fieldSeparator(dialect.delimiter()).maxBufferSize(MAX_FIELD_CHARS)
        .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
        .allowUnclosedQuote(false).build(table, spaced)) {
      reader.forEach(record -> { });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (CsvParseException e) {
      throw table.fault(e, spaced.isInQuotes());
    }
    return table.finished();
  }

  /** Reads the first lines and pushes them back. */
  private static String sample(PushbackReader text) throws IOException {
    char[] start = new char[SAMPLE_CHARS];
    int length = 0;
    int read;
    while (length < SAMPLE_CHARS && (read = text.read(start, length, SAMPLE_CHARS - length)) > 0) {
      length += read;
    }
    text.unread(start, 0, length);
    String sample = new String(start, 0, length);
    int end = sample.lastIndexOf('\n');
    return length < SAMPLE_CHARS || end < 0 ? sample : sample.substring(0, end + 1);
  }

  @Override
  protected void handleBegin(long startingLine) {
    line = startingLine;
    fields = 0;
  }

  @Override
  protected void handleField(int field, char[] text, int offset, int length, boolean quoted) {
    fields++;
    this.length += length + 1;
    lastIsEmpty = length == 0;
    if (headerExpected) {
      String name = new String(text, offset, length);
      name(quoted ? name : name.strip());
    } else {
      if (field == columns.size() && firstLine == 0) {
        name(Integer.toString(field + 1));
      }
      if (field < columns.size()) {
        columns.get(field).add(text, offset, length, quoted, line);
      }
    }
  }

  @Override
  protected Boolean buildRecord() {
    if (fields == 0) {
      return true;
    }
    if (firstLine == 0) {
      firstLine = line;
    } else if (fields != columns.size()) {
      throw new InvalidInputException("line " + line + " has " + fields + (fields == 1 ? " field" : " fields") + ", but line "
          + firstLine + " has " + columns.size() + (hasHeader && rows == 0 && fields == columns.size() + 1 && !lastIsEmpty
              ? "; if the first field of each line is a row name, name its column in line " + firstLine : ""));
    }
    if (headerExpected) {
      headerExpected = false;
      return true;
    }
    rows++;
    if (!allSettled && rows % Math.max(1, Math.min(SAMPLE_ROWS, SAMPLE_FIELDS / columns.size())) == 0) {
      columns.forEach(CsvColumn::settle);
      allSettled = columns.stream().allMatch(CsvColumn::isSettled);
      requireFits();
    } else if (rows % ROWS_BETWEEN_CHECKS == 0) {
      requireFits();
    }
    return true;
  }

  private void name(String name) {
    int number = columns.size() + 1;
    if (headerExpected && name.isEmpty()) {
      throw new InvalidInputException("line " + line + ": column " + number + " has no name; every column needs one (remove a"
          + " column of row numbers)");
    }
    Integer same = columnNumbers.put(name, number);
    if (same != null) {
      throw new InvalidInputException(
          "line " + line + ": columns " + same + " and " + number + " are both named " + QuotedText.of(name)
              + "; names must be unique");
    }
    if (number % COLUMNS_BETWEEN_CHECKS == 0) {
      budget.require(number * HeapBudget.COLUMN_BYTES, 1, number, "line " + line + " has more than " + number + " fields, which");
    }
    columns.add(new CsvColumn(name, "column " + number + (headerExpected ? " (" + QuotedText.of(name) + ")" : ""),
        options.kind(name), missing));
  }

  private void requireFits() {
    double rowBytes = columns.stream().mapToDouble(CsvColumn::width).sum();
    double whole = source.bytes() < 0 ? rows : Math.max(rows, rows * (source.bytes() / length));
    budget.require(whole * rowBytes, whole, columns.size(), (source.bytes() < 0 ? "more than " + rows
        : "about " + Math.round(whole)) + " rows of " + columns.size() + " columns");
  }

  private Table finished() {
    if (columns.isEmpty()) {
      throw new InvalidInputException("is empty; a table is needed");
    }
    if (rows == 0) {
      throw new InvalidInputException("has a header but no rows; at least one row is needed");
    }
    Table table = Table.of(columns.stream().map(column -> column.column((int) rows)).toList(), hasHeader);
    options.textColumns().forEach(table::column);
    return table;
  }

  /** Unwraps exceptions that the parser wrapped, and describes errors in the text by the line where the record starts. */
  private InvalidInputException fault(CsvParseException e, boolean inQuotes) {
    if (e.getCause() instanceof InvalidInputException invalid) {
      return invalid;
    }
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    if (e.getCause() instanceof RuntimeException bug) {
      throw bug;
    }
    String problem = e.getMessage().startsWith("Unexpected character after closing quote")
        ? ": there is text between a closing quote and the end of the field; write a quote within quotes twice"
        : inQuotes ? ": the quote that opens here is never closed"
        : " has a field of more than " + MAX_FIELD_CHARS + " characters, the maximum";
    return new InvalidInputException("line " + line + problem, e);
  }
}
