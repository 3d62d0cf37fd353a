package dev.plumb.data;

import ch.randelshofer.fastdoubleparser.JavaDoubleParser;
import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * One column while a text file is read. The first rows are kept as they stand; then it is settled whether the column has numbers
 * or words, and the rest is held to it: a word among numbers is most often a slip, and naming its line helps more than taking a
 * thousand numbers for categories.
 */
final class CsvColumn {
  private static final Set<String> MISSING = Set.of("", "?", "na", "n/a", "nan", "null");
  private static final Set<String> INFINITE = Set.of("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity");
  private static final Pattern DECIMAL_COMMA = Pattern.compile("[-+]?\\d*,\\d+");
  private static final int LONGEST_MISSING = 4;
  /** Whole numbers of so many digits are exact in a double. */
  private static final int EXACT_DIGITS = 15;

  private final String place;
  private final String name;
  private final boolean wordsWanted;
  private int missingFirst;
  /** What came from the first value on, until the column is settled. */
  private List<String> sample = new ArrayList<>();
  private List<Long> sampleLines = new ArrayList<>();
  private Values.Doubles numbers;
  private Values.Words words;

  /** @param place what messages call it: {@code column 3 ("age")} */
  CsvColumn(String name, String place, boolean wordsWanted) {
    this.name = name;
    this.place = place;
    this.wordsWanted = wordsWanted;
  }

  void add(char[] text, int offset, int length, boolean quoted, long line) {
    int from = offset;
    int to = offset + length;
    if (!quoted) {
      while (from < to && text[from] <= ' ') {
        from++;
      }
      while (from < to && text[to - 1] <= ' ') {
        to--;
      }
    }
    if (numbers != null) {
      numbers.add(number(text, from, to - from, line));
    } else {
      String word = from == to ? null : known(new String(text, from, to - from));
      if (words != null) {
        words.add(word);
      } else if (word == null && sample.isEmpty()) {
        missingFirst++;
      } else {
        sample.add(word);
        sampleLines.add(line);
      }
    }
  }

  /**
   * Settles what the column has, from its first rows: words when at least half of what is there is not a number. Nothing is
   * settled while there is no value.
   *
   * @throws InvalidInputException when there is a word among numbers
   */
  void settle() {
    if (sample == null || (sample.isEmpty() && !wordsWanted)) {
      return;
    }
    int there = 0;
    int first = -1;
    int notNumbers = 0;
    for (int i = 0; i < sample.size(); i++) {
      String word = sample.get(i);
      there += word == null ? 0 : 1;
      if (word != null && !isNumber(word) && notNumbers++ == 0) {
        first = i;
      }
    }
    if (wordsWanted || 2 * notNumbers >= there) {
      if (!wordsWanted) {
        requireNoDecimalCommas();
      }
      words = new Values.Words();
      for (int row = 0; row < missingFirst; row++) {
        words.add(null);
      }
      sample.forEach(words::add);
    } else {
      if (notNumbers > 0) {
        throw notANumber(sample.get(first), sampleLines.get(first));
      }
      numbers = missing();
      for (int i = 0; i < sample.size(); i++) {
        numbers.add(sample.get(i) == null ? Double.NaN : number(sample.get(i), sampleLines.get(i)));
      }
    }
    sample = null;
    sampleLines = null;
  }

  boolean isSettled() {
    return sample == null;
  }

  /** How many bytes a row of it takes. */
  int width() {
    return words != null ? Integer.BYTES : Double.BYTES;
  }

  Column column() {
    settle();
    if (sample != null) {
      return new Column(name, missing(), null);
    }
    return new Column(name, numbers != null ? numbers : words, null);
  }

  private Values.Doubles missing() {
    Values.Doubles values = new Values.Doubles();
    for (int row = 0; row < missingFirst; row++) {
      values.add(Double.NaN);
    }
    return values;
  }

  /** What a field says: null when it is one of the words for a missing value. */
  static String word(String field) {
    return known(field.strip());
  }

  static boolean isNumber(String word) {
    if (word == null) {
      return false;
    }
    char[] text = word.toCharArray();
    return isInfinite(word) || !Double.isNaN(parse(text, 0, text.length));
  }

  private static String known(String word) {
    return word.length() <= LONGEST_MISSING && MISSING.contains(word.toLowerCase(Locale.ROOT)) ? null : word;
  }

  private static boolean isInfinite(String word) {
    return INFINITE.contains(word.toLowerCase(Locale.ROOT));
  }

  private double number(String word, long line) {
    return number(word.toCharArray(), 0, word.length(), line);
  }

  private double number(char[] text, int offset, int length, long line) {
    double number = parse(text, offset, length);
    if (Double.isFinite(number)) {
      return number;
    }
    String word = new String(text, offset, length);
    if (known(word) == null) {
      return Double.NaN;
    }
    if (Double.isInfinite(number) || isInfinite(word)) {
      throw new InvalidInputException("line " + line + ", " + place + ": " + word
          + (isInfinite(word) ? " is infinite; data must be finite" : " is beyond the range of numbers, 1.8e308"));
    }
    throw notANumber(word, line);
  }

  /** Whether it starts and ends as a decimal number does; Java also takes 5d, 0x1p3 and words. */
  private static boolean isPlain(char[] text, int offset, int length) {
    if (length == 0) {
      return false;
    }
    char first = text[offset];
    char last = text[offset + length - 1];
    return (first <= '9' && first != ' ') && ((last >= '0' && last <= '9') || last == '.')
        && (length < 3 || ((text[offset + 1] | 0x20) != 'x' && (text[offset + 2] | 0x20) != 'x'));
  }

  /** NaN when it is not a number. */
  private static double parse(char[] text, int offset, int length) {
    if (length <= EXACT_DIGITS) {
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

  private void requireNoDecimalCommas() {
    int first = -1;
    for (int i = 0; i < sample.size(); i++) {
      String word = sample.get(i);
      if (word != null && !DECIMAL_COMMA.matcher(word).matches() && !isNumber(word)) {
        return;
      }
      first = first < 0 && word != null && !isNumber(word) ? i : first;
    }
    throw new InvalidInputException("line " + sampleLines.get(first) + ", " + place + ": \"" + sample.get(first)
        + "\" has a decimal comma; numbers need a decimal point");
  }

  private InvalidInputException notANumber(String word, long line) {
    String shown = word.length() > 40 ? word.substring(0, 40) + "..." : word;
    return new InvalidInputException("line " + line + ", " + place + ": \"" + shown.replaceAll("\\p{Cntrl}", " ")
        + "\" is not a number, as the column's other values are; correct it, leave it empty, or read the column as words"
        + " (--categorical " + name + ")");
  }
}
