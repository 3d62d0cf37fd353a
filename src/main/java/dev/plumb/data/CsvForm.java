package dev.plumb.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;

/** How a delimited text file is written: what stands between fields, and whether its first line has names. */
record CsvForm(char delimiter, boolean header) {
  /** A file in which several fit equally well is of the first of them: commas are used within fields most. */
  private static final char[] DELIMITERS = {'\t', ';', '|', ','};
  private static final int MOST_RECORDS = 100;

  /**
   * Finds out what the options do not say. The delimiter is the one with which most records have the same number of fields, more
   * than one. The first line has names when none of its fields is a number.
   *
   * @param sample whole lines from the start of the file
   * @throws InvalidInputException when the first line can be meant either way: words above numbers beside a number
   */
  static CsvForm of(String sample, ReadOptions options) {
    char delimiter = options.delimiter().orElseGet(() -> delimiter(sample));
    return new CsvForm(delimiter, options.header().orElseGet(() -> hasHeader(records(sample, delimiter))));
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
    return best;
  }

  /** The share of records that have as many fields as most, when that is more than one. */
  private static double regularity(List<CsvRecord> records) {
    double best = 0;
    for (CsvRecord record : records) {
      int fields = record.getFieldCount();
      if (fields > 1) {
        long alike = records.stream().filter(other -> other.getFieldCount() == fields).count();
        best = Math.max(best, (double) alike / records.size());
      }
    }
    return best;
  }

  private static boolean hasHeader(List<CsvRecord> records) {
    if (records.isEmpty()) {
      return false;
    }
    CsvRecord first = records.get(0);
    String number = null;
    String nameLike = null;
    for (int field = 0; field < first.getFieldCount(); field++) {
      String word = CsvColumn.word(first.getField(field));
      if (CsvColumn.isNumber(word)) {
        number = word;
      } else if (word != null && isNumericBelow(records, field)) {
        nameLike = word;
      }
    }
    if (number != null && nameLike != null) {
      throw new InvalidInputException("line 1 has the number \"" + number + "\", but also the word \"" + nameLike
          + "\" above numbers; say whether it has the names of the columns (--header yes or no)");
    }
    return number == null;
  }

  private static boolean isNumericBelow(List<CsvRecord> records, int field) {
    int numbers = 0;
    for (CsvRecord record : records.subList(1, records.size())) {
      String word = field < record.getFieldCount() ? CsvColumn.word(record.getField(field)) : null;
      if (word != null && !CsvColumn.isNumber(word)) {
        return false;
      }
      numbers += word == null ? 0 : 1;
    }
    return numbers > 0;
  }

  private static List<CsvRecord> records(String sample, char delimiter) {
    List<CsvRecord> records = new ArrayList<>();
    try {
      for (CsvRecord record : CsvReader.builder().fieldSeparator(delimiter)
          .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
          .ofCsvRecord(sample)) {
        records.add(record);
        if (records.size() == MOST_RECORDS) {
          break;
        }
      }
    } catch (CsvParseException e) {
      // The sample may end within quotes; a fault is said when the file is read.
      return records;
    }
    return records;
  }
}
