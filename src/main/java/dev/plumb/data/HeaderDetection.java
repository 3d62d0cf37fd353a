package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Tells whether the first line of a text file has the names of its columns, by what distinguishes it from the lines below.
 *
 * <p>It has names where a word is above numbers, a number above words, or a number in quotes above numbers without. It is a row
 * where a number with a decimal point is above numbers, a word comes again in its column, or a line with a number comes again. Other
 * hints are weaker: whole numbers above numbers with a decimal point, numbers that count up (0, 1, 2 or years), and a word that
 * does not come again in a column of few categories. Where hints contradict each other, or the weaker ones are too few, the file is
 * refused. Numbers in another notation are numbers here, and marks without letters or digits are nothing.
 */
final class HeaderDetection {
  private static final int MIN_ROWS_OF_CATEGORIES = 4;
  private static final int MIN_RUN = 3;
  /** A line that comes more often than once in so many is a row. */
  private static final int MIN_LINES_OF_REPEATED_HEADER = 4;
  private static final int FIRST_YEAR = 1800;
  private static final int LAST_YEAR = 2200;

  private final List<Field> first;
  private final List<List<Field>> rows;
  private final int lines;
  private final boolean comesAgain;
  private final NaValues missing;
  private final List<Double> wholeNumbers = new ArrayList<>();
  private int strongForNames;
  private int strongForRow;
  private int weakNumbers;
  private int weakWords;
  private int otherNumbers;
  private String number;
  private String wordAboveNumbers;

  HeaderDetection(List<List<Field>> records, NaValues missing) {
    first = records.isEmpty() ? List.of() : records.get(0);
    lines = records.size();
    List<List<Field>> below = records.stream().skip(1).toList();
    List<List<Field>> others = below.stream().filter(row -> !texts(row).equals(texts(first))).toList();
    comesAgain = others.size() < below.size();
    boolean isOften = MIN_LINES_OF_REPEATED_HEADER * (below.size() - others.size()) > lines;
    strongForRow = isOften ? 1 : 0;
    // A line of names may come again where files were put together. It is then not counted among the rows.
    rows = isOften ? below : others;
    this.missing = missing;
    for (int column = 0; column < first.size(); column++) {
      look(column);
    }
  }

  /** @throws InvalidInputException when the first line can be meant either way */
  boolean hasHeader() {
    if (first.isEmpty() || lines == 1) {
      return !first.isEmpty() && number == null;
    }
    if (strongForNames > 0) {
      if (strongForRow > 0 || otherNumbers > 0) {
        throw ambiguous();
      }
      return true;
    }
    if (strongForRow > 0 || comesAgain && number != null && !countsUp()) {
      if (number == null && weakWords > strongForRow) {
        throw ambiguous();
      }
      return false;
    }
    if (number == null) {
      if (weakWords < 2 || comesAgain) {
        throw ambiguous();
      }
      return true;
    }
    boolean namesWithoutTheFirst = first.get(0).text().isEmpty() && countsUp();
    if (!namesWithoutTheFirst && !canBeNames()) {
      return false;
    }
    boolean allWeak = otherNumbers == 0 && weakNumbers > 0;
    if (namesWithoutTheFirst || allWeak && areUsualNames()) {
      return true;
    }
    if (allWeak && first.size() > 1 || countsUp() || weakWords > 0) {
      throw ambiguous();
    }
    return false;
  }

  /** Whether nothing speaks for a row, and something that cannot be one for names. */
  boolean isSurelyHeader() {
    return lines > 1 && strongForNames > 0 && strongForRow == 0 && otherNumbers == 0;
  }

  private void look(int column) {
    Field field = first.get(column);
    String text = field.text();
    if (missing.isMissingWord(field) || NumberNotation.isMark(text)) {
      return;
    }
    int numbers = 0;
    int words = 0;
    int withPoint = 0;
    int quoted = 0;
    boolean again = false;
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
        words++;
      }
      quoted += below.quoted() ? 1 : 0;
      again |= below.text().equals(text);
      distinct.add(below.text());
    }
    if (isNumeric(text)) {
      number = number == null || otherNumbers == 0 ? text : number;
      if (isWhole(text)) {
        wholeNumbers.add(Double.parseDouble(text.strip()));
      }
      if (numbers == 0 && words > 1 || words == 0 && numbers > 0 && field.quoted() && quoted == 0 && isWhole(text)) {
        strongForNames++;
      } else if (words == 0 && numbers > 0 && CsvColumn.isNumber(text) && !isWhole(text)) {
        strongForRow++;
      } else if (words == 0 && withPoint > 1 && withPoint == numbers) {
        weakNumbers++;
      } else {
        otherNumbers++;
      }
    } else if (words == 0 && numbers > 0) {
      strongForNames++;
      wordAboveNumbers = text;
    } else if (again) {
      strongForRow++;
    } else if (words >= MIN_ROWS_OF_CATEGORIES && 2 * distinct.size() <= words + numbers) {
      weakWords++;
    }
  }

  /** Whether its whole numbers are 0, 1, ... or 1, 2, ..., or three or more that follow each other, or years. */
  private boolean countsUp() {
    return areYears() || followEachOther()
        && (wholeNumbers.size() >= MIN_RUN || wholeNumbers.size() == 2 && (wholeNumbers.get(0) == 0 || wholeNumbers.get(0) == 1));
  }

  /** Whether it has the names that programs give: 0, 1, 2, ... or years. */
  private boolean areUsualNames() {
    boolean fromZero = wholeNumbers.size() > 1 && wholeNumbers.get(0) == 0 && followEachOther();
    return fromZero && (wholeNumbers.size() >= MIN_RUN || weakWords > 0)
        || areYears() && (wholeNumbers.size() >= MIN_RUN || first.size() > wholeNumbers.size());
  }

  private boolean followEachOther() {
    return IntStream.range(1, wholeNumbers.size()).allMatch(i -> wholeNumbers.get(i) == wholeNumbers.get(i - 1) + 1);
  }

  private boolean areYears() {
    return wholeNumbers.size() > 1 && wholeNumbers.stream().allMatch(year -> year >= FIRST_YEAR && year <= LAST_YEAR)
        && IntStream.range(1, wholeNumbers.size()).allMatch(i -> wholeNumbers.get(i) > wholeNumbers.get(i - 1));
  }

  private boolean canBeNames() {
    Set<String> names = new HashSet<>();
    return first.stream().allMatch(field -> !missing.isMissingWord(field) && names.add(field.text()));
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
    String say = "say whether it has the names of the columns (--header yes or no)";
    if (number != null && wordAboveNumbers != null) {
      return new InvalidInputException("line 1 has the number \"" + number + "\", but also the word \"" + wordAboveNumbers
          + "\" above numbers; " + say);
    }
    if (first.size() == 1) {
      return new InvalidInputException("line 1 (" + QuotedText.of(first.get(0).text()) + ") has no delimiter that was recognized, and"
          + " can be a row or a name; name the delimiter (--delimiter), or " + say);
    }
    return new InvalidInputException("line 1 (" + QuotedText.of(first.get(0).text()) + ", ...) can be a row or have names; " + say);
  }
}
