package dev.plumb.data;

import ch.randelshofer.fastdoubleparser.JavaDoubleParser;
import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Column of a text file while it is read. Its type, numbers or text, is inferred from the first rows, which are buffered; the
 * rest must match. A text among numbers is almost always a mistake, and an error with its line is more useful than a thousand
 * numbers read as categories. An error is thrown only when the column is used.
 */
final class CsvColumn {
  private static final Set<String> INFINITE = Set.of("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity");

  private final String place;
  private final String name;
  private final Optional<ColumnKind> kind;
  private final NaValues missing;
  private int leadingMissing;
  /** Fields from the first value on, until the type is settled; then null. */
  private List<Field> sample = new ArrayList<>();
  private ColumnValues.Doubles numbers;
  private ColumnValues.Texts texts;
  private InvalidInputException fault;
  /** The first text that marked a missing value, as it was written. */
  private String missingText;

  /**
   * Creates an empty column.
   *
   * @param place of the column, for messages: {@code column 3 ("age")}
   * @param kind empty to infer it from the content
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
    if (texts != null) {
      addText(field);
    } else if (sample.isEmpty() && missing.isMissingText(field)) {
      noteMissing(field.text());
      leadingMissing++;
    } else {
      sample.add(field);
    }
  }

  /**
   * Settles the type by the buffered rows: text when at least half of the values are not numbers. Without a value, nothing is
   * settled.
   */
  void settle() {
    if (isSettled() || sample.isEmpty()) {
      return;
    }
    int present = 0;
    int inOtherNotation = 0;
    Field firstText = null;
    Field firstMark = null;
    int notNumbers = 0;
    for (Field field : sample) {
      if (!missing.isMissingNumber(field.text())) {
        firstMark = firstMark == null && NumberNotation.isMark(field.text()) ? field : firstMark;
        if (NumberNotation.isMark(field.text())) {
          continue;
        }
        present++;
        if (!isNumber(field.text())) {
          firstText = notNumbers++ == 0 ? field : firstText;
          inOtherNotation += NumberNotation.plain(field.text()).isPresent() ? 1 : 0;
        }
      }
    }
    if (present == 0 && kind.isEmpty() && firstMark == null) {
      return;
    }
    boolean isText = kind.map(k -> k != ColumnKind.NUMBERS).orElse(2 * notNumbers >= present);
    firstText = firstText == null ? firstMark : firstText;
    boolean weakOnly = notNumbers == present && sample.stream().map(Field::text)
        .allMatch(text -> missing.isMissingNumber(text) || NumberNotation.isMark(text) || NumberNotation.isWeak(text));
    if (isText && kind.isEmpty() && inOtherNotation > 0 && !weakOnly
        && 2 * (present - notNumbers + inOtherNotation) > present) {
      fault = otherNotation();
    } else if (isText) {
      toText();
    } else if (firstText != null) {
      fault = notANumber(firstText.text(), firstText.line());
    } else {
      numbers = new ColumnValues.Doubles(leadingMissing);
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

  /** Returns the memory of one row in bytes, on average. */
  double width() {
    return texts != null ? texts.width() : numbers != null ? numbers.width() : Double.BYTES;
  }

  /**
   * Returns the column when the whole file has been read.
   *
   * @param rows of the file
   */
  Column column(int rows) {
    settle();
    if (fault == null && sample != null && !sample.isEmpty()) {
      // Only quoted texts that would mark a missing value without the quotes.
      toText();
    }
    if (fault != null) {
      return Column.unreadable(name, rows, fault);
    }
    ColumnValues values = texts != null ? texts : numbers != null ? numbers : new ColumnValues.Doubles(rows);
    return new Column(name, values, null, missingText);
  }

  private void toText() {
    texts = new ColumnValues.Texts();
    for (int row = 0; row < leadingMissing; row++) {
      texts.add(null);
    }
    sample.forEach(this::addText);
  }

  private void addText(Field field) {
    boolean isNumeral = kind.equals(Optional.of(ColumnKind.NUMERALS));
    String text = isNumeral ? field.text().strip() : field.text();
    boolean isMissing = isNumeral ? missing.isMissingNumber(text) : missing.isMissingText(field);
    if (isMissing) {
      noteMissing(text);
    }
    texts.add(isMissing ? null : text);
  }

  private void noteMissing(String text) {
    if (missingText == null && !text.isEmpty()) {
      missingText = text;
    }
  }

  static boolean isNumber(String word) {
    return isInfinite(word) || !Double.isNaN(toNumber(word));
  }

  /** Parses a number in digits; NaN for anything else. */
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
          + (isInfinite(word) ? " is infinite; data must be finite" : " is outside the range of a double (1.8e308); correct it"));
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

  /** Returns whether a text starts and ends as a decimal number does; Java also parses 5d, 0x1p3 and words. */
  private static boolean isPlain(char[] text, int offset, int length) {
    if (length == 0) {
      return false;
    }
    char first = text[offset];
    char last = text[offset + length - 1];
    return (first >= '0' && first <= '9' || first == '-' || first == '.' || first == '+')
        && ((last >= '0' && last <= '9') || last == '.')
        && (length < 3 || ((text[offset + 1] | 0x20) != 'x' && (text[offset + 2] | 0x20) != 'x'));
  }

  /** Parses a number; NaN for anything else. */
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
        : " is not a number, but the column's other values are; correct it, leave it empty, mark it as missing (--na-values)"
            + orText()));
  }

  private String orText() {
    return kind.isPresent() ? "" : ", or read the column as text (--categorical " + listed(name) + ")";
  }

  /** Returns a name as an item of a list of columns on the command line. */
  private static String listed(String name) {
    return name.chars().anyMatch(c -> c == ',' || c == '"' || c <= ' ') ? "'\"" + name.replace("\"", "\"\"") + "\"'" : name;
  }
}
