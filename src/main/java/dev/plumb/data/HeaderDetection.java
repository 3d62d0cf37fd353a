package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Detection of a header in the first line of a text file, by its differences from the lines below.
 *
 * <p>Strong evidence for a header: text above numbers, a number above text, a quoted number above unquoted ones. Strong evidence
 * for a row: a number with a decimal point above numbers, a text that recurs in its column, a line with a number that recurs.
 * Weak evidence for a header: whole numbers above numbers with a decimal point, numbers that count up (0, 1, 2 or years), and a
 * text that does not recur in a column of few categories. If the evidence is contradictory or too weak, the file is refused.
 * Numbers in unsupported formats count as numbers; marks without letters or digits are ignored.
 */
final class HeaderDetection {
  private static final int MIN_CATEGORY_ROWS = 4;
  private static final int MIN_RUN = 3;
  /** Lines per copy of the first line, below which the first line is a row and not a repeated header. */
  private static final int MIN_LINES_PER_HEADER = 4;
  private static final int FIRST_YEAR = 1800;
  private static final int LAST_YEAR = 2200;

  private final List<Field> first;
  private final List<List<Field>> rows;
  private final int lines;
  private final boolean recurs;
  private final NaValues missing;
  private final List<Double> wholeNumbers = new ArrayList<>();
  private int strongForHeader;
  private int strongForRow;
  private int weakNumbers;
  private int weakTexts;
  private int otherNumbers;
  private String number;
  private String textAboveNumbers;

  HeaderDetection(List<List<Field>> records, NaValues missing) {
    first = records.isEmpty() ? List.of() : records.get(0);
    lines = records.size();
    List<List<Field>> below = records.stream().skip(1).toList();
    List<List<Field>> others = below.stream().filter(row -> !texts(row).equals(texts(first))).toList();
    recurs = others.size() < below.size();
    boolean isFrequent = MIN_LINES_PER_HEADER * (below.size() - others.size()) > lines;
    strongForRow = isFrequent ? 1 : 0;
    // A header may recur where files were concatenated; it is then not counted among the rows.
    rows = isFrequent ? below : others;
    this.missing = missing;
    for (int column = 0; column < first.size(); column++) {
      weigh(column);
    }
  }

  /**
   * Returns whether the first line is a header.
   *
   * @throws InvalidInputException when it can be a header or a row
   */
  boolean hasHeader() {
    if (first.isEmpty() || lines == 1) {
      return !first.isEmpty() && number == null;
    }
    if (strongForHeader > 0) {
      if (strongForRow > 0 || otherNumbers > 0) {
        throw ambiguous();
      }
      return true;
    }
    if (strongForRow > 0 || recurs && number != null && !countsUp()) {
      if (number == null && weakTexts > strongForRow) {
        throw ambiguous();
      }
      return false;
    }
    if (number == null) {
      if (weakTexts < 2 || recurs) {
        throw ambiguous();
      }
      return true;
    }
    boolean isUnnamedIndex = first.get(0).text().isEmpty() && countsUp();
    if (!isUnnamedIndex && !canBeNames()) {
      return false;
    }
    boolean allWeak = otherNumbers == 0 && weakNumbers > 0;
    if (isUnnamedIndex || allWeak && areUsualNames()) {
      return true;
    }
    if (allWeak && first.size() > 1 || countsUp() || weakTexts > 0) {
      throw ambiguous();
    }
    return false;
  }

  /** Returns whether there is strong evidence for a header and none for a row. */
  boolean isSurelyHeader() {
    return lines > 1 && strongForHeader > 0 && strongForRow == 0 && otherNumbers == 0;
  }

  private void weigh(int column) {
    Field field = first.get(column);
    String text = field.text();
    if (missing.isMissingText(field) || NumberNotation.isMark(text)) {
      return;
    }
    int numbers = 0;
    int texts = 0;
    int withPoint = 0;
    int quoted = 0;
    boolean recursInColumn = false;
    Set<String> distinct = new HashSet<>();
    for (List<Field> row : rows) {
      Field below = column < row.size() ? row.get(column) : null;
      if (below == null || missing.isMissingNumber(below.text()) || NumberNotation.isMark(below.text())) {
        continue;
      }
      if (isNumeric(below.text())) {
        numbers++;
        withPoint += isWhole(below.text()) ? 0 : 1;
      } else {
        texts++;
      }
      quoted += below.quoted() ? 1 : 0;
      recursInColumn |= below.text().equals(text);
      distinct.add(below.text());
    }
    if (isNumeric(text)) {
      number = number == null || otherNumbers == 0 ? text : number;
      if (isWhole(text)) {
        wholeNumbers.add(Double.parseDouble(text.strip()));
      }
      if (numbers == 0 && texts > 1 || texts == 0 && numbers > 0 && field.quoted() && quoted == 0 && isWhole(text)) {
        strongForHeader++;
      } else if (texts == 0 && numbers > 0 && CsvColumn.isNumber(text) && !isWhole(text)) {
        strongForRow++;
      } else if (texts == 0 && withPoint > 1 && withPoint == numbers) {
        weakNumbers++;
      } else {
        otherNumbers++;
      }
    } else if (texts == 0 && numbers > 0) {
      strongForHeader++;
      textAboveNumbers = text;
    } else if (recursInColumn) {
      strongForRow++;
    } else if (texts >= MIN_CATEGORY_ROWS && 2 * distinct.size() <= texts + numbers) {
      weakTexts++;
    }
  }

  /** Returns whether the whole numbers of the line are 0, 1, ... or 1, 2, ..., three or more consecutive numbers, or years. */
  private boolean countsUp() {
    return areYears() || areConsecutive()
        && (wholeNumbers.size() >= MIN_RUN || wholeNumbers.size() == 2 && (wholeNumbers.get(0) == 0 || wholeNumbers.get(0) == 1));
  }

  /** Returns whether the line has names that programs generate: 0, 1, 2, ... or years. */
  private boolean areUsualNames() {
    boolean fromZero = wholeNumbers.size() > 1 && wholeNumbers.get(0) == 0 && areConsecutive();
    return fromZero && (wholeNumbers.size() >= MIN_RUN || weakTexts > 0)
        || areYears() && (wholeNumbers.size() >= MIN_RUN || first.size() > wholeNumbers.size());
  }

  private boolean areConsecutive() {
    return IntStream.range(1, wholeNumbers.size()).allMatch(i -> wholeNumbers.get(i) == wholeNumbers.get(i - 1) + 1);
  }

  private boolean areYears() {
    return wholeNumbers.size() > 1 && wholeNumbers.stream().allMatch(year -> year >= FIRST_YEAR && year <= LAST_YEAR)
        && IntStream.range(1, wholeNumbers.size()).allMatch(i -> wholeNumbers.get(i) > wholeNumbers.get(i - 1));
  }

  private boolean canBeNames() {
    Set<String> names = new HashSet<>();
    return first.stream().allMatch(field -> !missing.isMissingText(field) && names.add(field.text()));
  }

  private static boolean isNumeric(String text) {
    return CsvColumn.isNumber(text) || NumberNotation.plain(text).isPresent();
  }

  private static boolean isWhole(String text) {
    String digits = text.strip();
    return digits.matches("[-+]?\\d+");
  }

  private static List<String> texts(List<Field> record) {
    return record.stream().map(Field::text).toList();
  }

  private InvalidInputException ambiguous() {
    String firstField = QuotedText.of(first.get(0).text());
    String remedy = "use --header yes or --header no";
    if (number != null && textAboveNumbers != null) {
      return new InvalidInputException("line 1 has the number \"" + number + "\", but also the text \"" + textAboveNumbers
          + "\" above numbers; " + remedy);
    }
    if (first.size() == 1) {
      return new InvalidInputException("line 1 (" + firstField + ") has no recognized delimiter and can be a header or a row; set"
          + " --delimiter, or " + remedy);
    }
    return new InvalidInputException("line 1 (" + firstField + ", ...) can be a header or a row; " + remedy);
  }
}
