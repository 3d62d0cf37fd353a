package dev.plumb.data;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Dialect of a delimited text file: its delimiter, and whether its first line is a header. */
record CsvDialect(char delimiter, boolean header) {
  /** Candidates in order of preference when several fit equally well: commas are the most frequent within fields. */
  private static final char[] DELIMITERS = {'\t', ';', '|', ','};
  private static final char BLANK = ' ';
  /** Share of lines that must have the same number of fields for a blank to be the delimiter: prose is not a table. */
  private static final double MIN_BLANK_SHARE = 0.9;
  private static final int MAX_RECORDS = 100;

  /**
   * Detects the values that the options leave open. The delimiter is the one with which most records have the same number of
   * fields, more than one; blanks only if no other separates most records. {@link HeaderDetection} decides whether the first line
   * is a header.
   *
   * @param sample whole lines from the start of the file
   * @throws dev.plumb.model.InvalidInputException when the first line can be a header or a row
   */
  static CsvDialect detect(String sample, ReadOptions options) {
    TextFormat format = options.format();
    char delimiter = format.delimiter().orElseGet(() -> delimiter(sample));
    return new CsvDialect(delimiter, format.header().orElseGet(() -> {
      List<List<Field>> records = records(sample, delimiter);
      HeaderDetection detection = new HeaderDetection(records, new NaValues(format.lowerCaseNaValues()));
      if (options.schema().header().equals(Optional.of(false))) {
        return detection.isSurelyHeader();
      }
      return hasNames(records, options.schema().features()) || detection.hasHeader();
    }));
  }

  /** Returns whether the first line contains all names that a model needs. */
  private static boolean hasNames(List<List<Field>> records, Set<String> features) {
    return !records.isEmpty() && !features.isEmpty()
        && records.get(0).stream().map(Field::text).collect(Collectors.toSet()).containsAll(features);
  }

  private static char delimiter(String sample) {
    char best = ',';
    double bestShare = 0;
    for (char delimiter : DELIMITERS) {
      double share = regularity(records(sample, delimiter));
      if (share > bestShare) {
        best = delimiter;
        bestShare = share;
      }
    }
    if (bestShare >= MIN_BLANK_SHARE && best != ',') {
      return best;
    }
    List<List<Field>> byBlanks = records(sample, BLANK);
    // With row names, the header may be one field shorter than the rows.
    double share = Math.max(regularity(byBlanks), regularity(byBlanks.subList(Math.min(1, byBlanks.size()), byBlanks.size())));
    boolean blanks = share >= MIN_BLANK_SHARE && (bestShare < MIN_BLANK_SHARE || haveDecimalCommas(byBlanks));
    return blanks ? BLANK : best;
  }

  /** Returns whether all fields are numbers, some with a decimal comma: commas are then not delimiters, even if regular. */
  private static boolean haveDecimalCommas(List<List<Field>> records) {
    List<String> texts = records.stream().flatMap(List::stream).map(Field::text).toList();
    return texts.stream().allMatch(text -> CsvColumn.isNumber(text) || NumberNotation.plain(text).isPresent())
        && texts.stream().noneMatch(text -> text.startsWith(",") || text.endsWith(","))
        && texts.stream().anyMatch(text -> text.contains(","));
  }

  /** Returns the share of records with the most frequent number of fields, counting only numbers above one. */
  private static double regularity(List<List<Field>> records) {
    double best = 0;
    for (int fields : Set.copyOf(records.stream().map(List::size).toList())) {
      if (fields > 1) {
        long alike = records.stream().filter(other -> other.size() == fields).count();
        best = Math.max(best, (double) alike / records.size());
      }
    }
    return best;
  }

  private static List<List<Field>> records(String sample, char delimiter) {
    Records records = new Records();
    try (CsvReader<List<Field>> reader = CsvReader.builder().fieldSeparator(delimiter)
        .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
        .build(records, new BlankNormalizingReader(new StringReader(sample), delimiter))) {
      for (List<Field> ignored : reader) {
        if (records.all.size() == MAX_RECORDS) {
          break;
        }
      }
    } catch (CsvParseException e) {
      // The sample may end within quotes; errors are reported when the file is read.
      return records.all;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return records.all;
  }

  private static final class Records extends AbstractBaseCsvCallbackHandler<List<Field>> {
    private final List<List<Field>> all = new ArrayList<>();
    private List<Field> record;
    private long line;

    @Override
    protected void handleBegin(long startingLine) {
      line = startingLine;
      record = new ArrayList<>();
    }

    @Override
    protected void handleField(int field, char[] text, int offset, int length, boolean quoted) {
      record.add(Field.of(text, offset, length, quoted, line));
    }

    @Override
    protected List<Field> buildRecord() {
      if (!record.isEmpty()) {
        all.add(record);
      }
      return record;
    }
  }
}
