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
import java.util.Set;
import java.util.stream.IntStream;

/** The form of one delimited text file: what is between fields, and whether its first line has names. */
record CsvForm(char delimiter, boolean header) {
  /** A file in which several fit equally well is of the first of them: commas are used within fields most. */
  private static final char[] DELIMITERS = {'\t', ';', '|', ','};
  private static final char BLANK = ' ';
  /** A text of several words a line is no table: blanks are between fields only where nearly all lines have as many. */
  private static final double MIN_BLANK_SHARE = 0.9;
  private static final int MAX_RECORDS = 100;

  /**
   * Finds out what the options do not say. The delimiter is the one with which most records have the same number of fields, more
   * than one; blanks only where no other separates most of them. {@link HeaderGuess} tells whether the first line has names.
   *
   * @param sample whole lines from the start of the file
   * @throws dev.plumb.model.InvalidInputException when the first line can be meant either way
   */
  static CsvForm of(String sample, ReadOptions options) {
    TextFormat format = options.format();
    char delimiter = format.delimiter().orElseGet(() -> delimiter(sample));
    return new CsvForm(delimiter, format.header().orElseGet(() -> {
      List<List<Field>> records = records(sample, delimiter);
      return hasNames(records, options.kinds().keySet())
          || new HeaderGuess(records, new MissingWords(format.missingWords())).hasHeader();
    }));
  }

  /** Whether the first line has most names that a model knows, unless those are just the numbers of columns without names. */
  private static boolean hasNames(List<List<Field>> records, Set<String> known) {
    if (records.isEmpty() || IntStream.rangeClosed(1, known.size()).allMatch(number -> known.contains(Integer.toString(number)))) {
      return false;
    }
    return 2 * records.get(0).stream().filter(field -> known.contains(field.text())).distinct().count() > known.size();
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
    return bestShare < MIN_BLANK_SHARE && regularity(records(sample, BLANK)) >= MIN_BLANK_SHARE ? BLANK : best;
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
        .build(records, new FieldSpacing(new StringReader(sample), delimiter))) {
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
