package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lines of delimited text that are read in parts, by several processes or because the text does not fit in memory. Every part is
 * read as {@link TableReader} reads a file that consists of the header and these lines. A record is one line: fields must not
 * contain line breaks. Immutable.
 */
public final class TextLines {
  private static final Pattern PLACE = Pattern.compile("(?:line|row) [0-9]+(?:: |, )");
  private static final Pattern LINE = Pattern.compile("line [0-9]+");

  private final ReadOptions options;
  private final char delimiter;
  private final Optional<String> header;

  private TextLines(ReadOptions options, char delimiter, Optional<String> header) {
    this.options = options.withDelimiter(delimiter).withHeader(header.isPresent());
    this.delimiter = delimiter;
    this.header = header;
  }

  /**
   * Detects delimiter and header by the first lines, as {@link TableReader} does.
   *
   * @param sample whole lines from the start of a text
   * @param options of reading
   * @return the lines' format
   * @throws InvalidInputException when the first line can be a header or a row
   */
  public static TextLines detect(String sample, ReadOptions options) {
    CsvDialect dialect = CsvDialect.detect(sample, options);
    Optional<String> first = sample.lines().filter(line -> !line.isEmpty()).findFirst();
    return new TextLines(options, dialect.delimiter(), dialect.header() ? first : Optional.empty());
  }

  /**
   * Returns lines of a known format.
   *
   * @param options of reading
   * @param delimiter between fields
   * @param header the line with the names of the columns; empty for none
   * @return the lines' format
   */
  public static TextLines of(ReadOptions options, char delimiter, Optional<String> header) {
    return new TextLines(options, delimiter, header);
  }

  /**
   * Returns the delimiter.
   *
   * @return between fields
   */
  public char delimiter() {
    return delimiter;
  }

  /**
   * Returns the header.
   *
   * @return the line with the names of the columns; empty for none
   */
  public Optional<String> header() {
    return header;
  }

  /**
   * Reads some lines.
   *
   * @param lines without the header and empty lines; at least one
   * @return a table with a row for each line
   * @throws InvalidInputException when they cannot be read; messages do not have the number of a line
   */
  public Table read(List<String> lines) {
    StringBuilder text = new StringBuilder();
    header.ifPresent(line -> text.append(line).append('\n'));
    lines.forEach(line -> text.append(line).append('\n'));
    return withoutPlace(() -> {
      Table table = read(text.toString().getBytes(StandardCharsets.UTF_8));
      if (table.rows() != lines.size()) {
        throw new InvalidInputException("a quoted field contains a line break; replace it, or use Parquet");
      }
      return table;
    });
  }

  private Table read(byte[] text) {
    try {
      return CsvTable.read(
          new ByteSource(new ByteArrayInputStream(text), text.length), options, HeapBudget.ofHeap(options.use()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Computes something with a part of a table, where numbers of rows and lines have no meaning to the user.
   *
   * @param computation to call
   * @param <T> type of the result
   * @return the result
   * @throws InvalidInputException that of the computation, without the number of the row or line at the start of its message
   */
  public static <T> T withoutPlace(Supplier<T> computation) {
    try {
      return computation.get();
    } catch (InvalidInputException e) {
      Matcher place = PLACE.matcher(e.getMessage());
      Matcher line = LINE.matcher(e.getMessage());
      throw new InvalidInputException(place.lookingAt() ? e.getMessage().substring(place.end())
          : line.lookingAt() ? "a line" + e.getMessage().substring(line.end()) : e.getMessage(), e);
    }
  }
}
