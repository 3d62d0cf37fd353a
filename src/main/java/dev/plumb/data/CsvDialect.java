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

/** The form of one delimited text file: what is between fields, and whether its first line has names. */
record CsvDialect(char delimiter, boolean header) {
  /** A file in which several fit equally well is of the first of them: commas are used within fields most. */
  private static final char[] DELIMITERS = {'\t', ';', '|', ','};
  private static final char BLANK = ' ';
  /** A text of several words a line is no table: blanks are between fields only where nearly all lines have as many. */
  private static final double MIN_BLANK_SHARE = 0.9;
  private static final int MAX_RECORDS = 100;

  /**
   * Finds out what the options do not say. The delimiter is the one with which most records have the same number of fields, more
   * than one; blanks only where no other separates most of them. {@link HeaderDetection} tells whether the first line has names.
   *
   * @param sample whole lines from the start of the file
   * @throws dev.plumb.model.InvalidInputException when the first line can be meant either way
   */
  static CsvDialect detect(String sample, ReadOptions options) {
    TextFormat format = options.format();
    char delimiter = format.delimiter().orElseGet(() -> delimiter(sample));
    return new CsvDialect(delimiter, format.header().orElseGet(() -> {
      List<List<Field>> records = records(sample, delimiter);
      HeaderDetection detection = new HeaderDetection(records, new NaValues(format.missingWords()));
      if (options.schema().header().equals(Optional.of(false))) {
        return detection.isSurelyHeader();
      }
      return hasNames(records, options.schema().features()) || detection.hasHeader();
    }));
  }

  /** Whether the first line has all the names that a model needs. */
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
    // Row names make the first line, of the other columns' names, one field shorter.
    double share = Math.max(regularity(byBlanks), regularity(byBlanks.subList(Math.min(1, byBlanks.size()), byBlanks.size())));
    boolean blanks = share >= MIN_BLANK_SHARE && (bestShare < MIN_BLANK_SHARE || haveDecimalCommas(byBlanks));
    return blanks ? BLANK : best;
  }

  /** Whether all fields are numbers, some with a decimal comma: commas are then no delimiters, though as many are in every line. */
  private static boolean haveDecimalCommas(List<List<Field>> records) {
    List<String> texts = records.stream().flatMap(List::stream).map(Field::text).toList();
    return texts.stream().allMatch(text -> CsvColumn.isNumber(text) || NumberNotation.plain(text).isPresent())
        && texts.stream().noneMatch(text -> text.startsWith(",") || text.endsWith(","))
        && texts.stream().anyMatch(text -> text.contains(","));
  }

  /** The share of records that have as many fields as most, when that is more than one. */
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
      // The sample may end within quotes; a fault is said when the file is read.
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
