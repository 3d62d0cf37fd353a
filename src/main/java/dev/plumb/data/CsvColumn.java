package dev.plumb.data;

import ch.randelshofer.fastdoubleparser.JavaDoubleParser;
import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * One column while a text file is read. The first rows are kept as they are; then it is settled whether the column has numbers
 * or words, and the rest is held to it: a word among numbers is most often a slip, and naming its line helps more than taking a
 * thousand numbers for categories. What is wrong with a column is thrown only when the column is used.
 */
final class CsvColumn {
  private static final Set<String> INFINITE = Set.of("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity");

  private final String place;
  private final String name;
  private final Optional<ColumnKind> kind;
  private final NaValues missing;
  private int missingFirst;
  /** What came from the first value on, until the column is settled. */
  private List<Field> sample = new ArrayList<>();
  private ColumnValues.Doubles numbers;
  private ColumnValues.Texts words;
  private InvalidInputException fault;
  /** The first word that was taken for a missing value, as it was written. */
  private String missingWord;

  /**
   * @param place what messages call it: {@code column 3 ("age")}
   * @param kind empty to find it out from the content
   */
  CsvColumn(String name, String place, Optional<ColumnKind> kind, NaValues missing) {
    this.name = name;
    this.place = place;
    this.kind = kind;
    this.missing = missing;
  }

  void add(char[] text, int offset, int length, boolean quoted, long line) {
    if (fault != null) {
      return;
    }
    if (numbers != null) {
      addNumber(text, offset, length, line);
      return;
    }
    Field field = Field.of(text, offset, length, quoted, line);
    if (words != null) {
      addWord(field);
    } else if (sample.isEmpty() && missing.isMissingWord(field)) {
      noteMissing(field.text());
      missingFirst++;
    } else {
      sample.add(field);
    }
  }

  /**
   * Settles what the column has, from its first rows: words when at least half of what is there is not a number. Nothing is
   * settled while there is no value.
   */
  void settle() {
    if (isSettled() || sample.isEmpty()) {
      return;
    }
    int there = 0;
    int inOtherNotation = 0;
    Field firstWord = null;
    Field firstMark = null;
    int notNumbers = 0;
    for (Field field : sample) {
      if (!missing.isMissingNumber(field.text())) {
        firstMark = firstMark == null && NumberNotation.isMark(field.text()) ? field : firstMark;
        if (NumberNotation.isMark(field.text())) {
          continue;
        }
        there++;
        if (!isNumber(field.text())) {
          firstWord = notNumbers++ == 0 ? field : firstWord;
          inOtherNotation += NumberNotation.plain(field.text()).isPresent() ? 1 : 0;
        }
      }
    }
    if (there == 0 && kind.isEmpty() && firstMark == null) {
      return;
    }
    boolean isText = kind.map(k -> k != ColumnKind.NUMBERS).orElse(2 * notNumbers >= there);
    firstWord = firstWord == null ? firstMark : firstWord;
    boolean weakOnly = notNumbers == there && sample.stream().map(Field::text)
        .allMatch(text -> missing.isMissingNumber(text) || NumberNotation.isMark(text) || NumberNotation.isWeak(text));
    if (isText && kind.isEmpty() && inOtherNotation > 0 && !weakOnly && 2 * (there - notNumbers + inOtherNotation) > there) {
      fault = otherNotation();
    } else if (isText) {
      toWords();
    } else if (firstWord != null) {
      fault = notANumber(firstWord.text(), firstWord.line());
    } else {
      numbers = new ColumnValues.Doubles(missingFirst);
      for (Field field : sample) {
        char[] text = field.text().toCharArray();
        if (fault == null) {
          addNumber(text, 0, text.length, field.line());
        }
      }
    }
    sample = null;
  }

  boolean isSettled() {
    return sample == null;
  }

  /** How many bytes a row of it takes. */
  int width() {
    return words != null ? Integer.BYTES : numbers != null && numbers.hasSpellings() ? Double.BYTES + Integer.BYTES : Double.BYTES;
  }

  /** @param rows that were read */
  Column column(int rows) {
    settle();
    if (fault == null && sample != null && !sample.isEmpty()) {
      // Nothing but words in quotes that stand for a missing value without them.
      toWords();
    }
    if (fault != null) {
      return Column.unreadable(name, rows, fault);
    }
    ColumnValues values = words != null ? words : numbers != null ? numbers : new ColumnValues.Doubles(rows);
    return new Column(name, values, null, missingWord);
  }

  private void toWords() {
    words = new ColumnValues.Texts();
    for (int row = 0; row < missingFirst; row++) {
      words.add(null);
    }
    sample.forEach(this::addWord);
  }

  private void addWord(Field field) {
    boolean isNumeral = kind.equals(Optional.of(ColumnKind.NUMERALS));
    String text = isNumeral ? field.text().strip() : field.text();
    boolean isMissing = isNumeral ? missing.isMissingNumber(text) : missing.isMissingWord(field);
    if (isMissing) {
      noteMissing(text);
    }
    words.add(isMissing ? null : text);
  }

  private void noteMissing(String word) {
    if (missingWord == null && !word.isEmpty()) {
      missingWord = word;
    }
  }

  static boolean isNumber(String word) {
    return isInfinite(word) || !Double.isNaN(toNumber(word));
  }

  /** NaN when it is not a number in digits. */
  static double toNumber(String word) {
    char[] text = word.toCharArray();
    int from = start(text, 0, text.length);
    return parse(text, from, end(text, from, text.length) - from) + 0.0;
  }

  private static boolean isInfinite(String word) {
    return INFINITE.contains(word.strip().toLowerCase(Locale.ROOT));
  }

  private void addNumber(char[] text, int offset, int length, long line) {
    int from = start(text, offset, offset + length);
    int to = end(text, from, offset + length);
    double number = parse(text, from, to - from);
    if (Double.isFinite(number) && !missing.isMissing(number)) {
      numbers.add(number, text, from, to - from);
      return;
    }
    String word = new String(text, from, to - from);
    if (missing.isMissingNumber(word)) {
      noteMissing(word);
      numbers.addMissing();
    } else if (Double.isInfinite(number) || isInfinite(word)) {
      fault = new InvalidInputException("line " + line + ", " + place + ": " + word
          + (isInfinite(word) ? " is infinite; data must be finite" : " is beyond the range of numbers, 1.8e308; correct it"));
    } else {
      fault = notANumber(word, line);
    }
    if (fault != null) {
      numbers = null;
    }
  }

  private static int start(char[] text, int from, int to) {
    int start = from;
    while (start < to && Field.isBlank(text[start])) {
      start++;
    }
    return start;
  }

  private static int end(char[] text, int from, int to) {
    int end = to;
    while (end > from && Field.isBlank(text[end - 1])) {
      end--;
    }
    return end;
  }

  /** Whether it starts and ends as a decimal number does; Java also takes 5d, 0x1p3 and words. */
  private static boolean isPlain(char[] text, int offset, int length) {
    if (length == 0) {
      return false;
    }
    char first = text[offset];
    char last = text[offset + length - 1];
    return (first >= '0' && first <= '9' || first == '-' || first == '.' || first == '+') && ((last >= '0' && last <= '9') || last == '.')
        && (length < 3 || ((text[offset + 1] | 0x20) != 'x' && (text[offset + 2] | 0x20) != 'x'));
  }

  /** NaN when it is not a number. */
  private static double parse(char[] text, int offset, int length) {
    if (length <= NumberText.EXACT_DIGITS) {
      long whole = 0;
      int i = offset;
      while (i < offset + length && text[i] >= '0' && text[i] <= '9') {
        whole = 10 * whole + text[i++] - '0';
      }
      if (i == offset + length && length > 0) {
        return whole;
      }
    }
    if (!isPlain(text, offset, length)) {
      return Double.NaN;
    }
    try {
      return JavaDoubleParser.parseDouble(text, offset, length);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private InvalidInputException otherNotation() {
    List<String> values = sample.stream().map(Field::text).toList();
    Field first = sample.stream().filter(field -> NumberNotation.plain(field.text()).isPresent() && !isNumber(field.text()))
        .findFirst().orElseThrow();
    return new InvalidInputException("line " + first.line() + ", " + place + ": " + QuotedText.of(first.text()) + " "
        + NumberNotation.remedy(first.text(), values) + orText());
  }

  private InvalidInputException notANumber(String word, long line) {
    String where = "line " + line + ", " + place + ": " + QuotedText.of(word);
    if (NumberNotation.plain(word).isPresent()) {
      return new InvalidInputException(where + " " + NumberNotation.remedy(word, List.of()) + orText());
    }
    return new InvalidInputException(where + (kind.isPresent()
        ? " is not a number, but the model was trained on numbers in this column; correct it or leave it empty"
        : " is not a number, as the column's other values are; correct it, leave it empty, declare it missing (--na-values)" + orText()));
  }

  private String orText() {
    return kind.isPresent() ? "" : ", or read the column as text (--categorical " + listed(name) + ")";
  }

  /** As a list of columns on the command line takes it. */
  private static String listed(String name) {
    return name.chars().anyMatch(c -> c == ',' || c == '"' || c <= ' ') ? "'\"" + name.replace("\"", "\"\"") + "\"'" : name;
  }
}
