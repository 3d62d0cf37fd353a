package dev.plumb.data;

/** Spelling of numbers in text files. */
final class NumberText {
  /** Number of digits up to which a double represents every whole number exactly. */
  static final int EXACT_DIGITS = 15;
  private static final int MAX_WHOLE_DIGITS = 7;
  private static final int MAX_LEADING_ZEROS = 3;

  private NumberText() {}

  static boolean isDigits(char[] text, int offset, int length) {
    return digits(text, offset, offset + length) == length;
  }

  /** Returns whether a number has the spelling of {@link Column#written}. */
  static boolean isUsual(char[] text, int offset, int length, double value) {
    int end = offset + length;
    boolean negative = text[offset] == '-';
    int first = negative ? offset + 1 : offset;
    int whole = digits(text, first, end);
    if (whole == 0 || (whole > 1 && text[first] == '0')) {
      return false;
    }
    int point = first + whole;
    if (point == end && whole <= EXACT_DIGITS) {
      return !negative || value != 0;
    }
    if (point < end && text[point] == '.') {
      int fraction = digits(text, point + 1, end);
      if (point + 1 + fraction == end && fraction > 0) {
        if (text[end - 1] == '0') {
          return false;
        }
        int zeros = 0;
        while (text[first] == '0' && text[point + 1 + zeros] == '0') {
          zeros++;
        }
        if (whole <= MAX_WHOLE_DIGITS && zeros < MAX_LEADING_ZEROS && whole + fraction <= EXACT_DIGITS) {
          return true;
        }
      }
    }
    return Column.written(value).contentEquals(new String(text, offset, length));
  }

  /** Returns the number of consecutive digits from an index on. */
  private static int digits(char[] text, int from, int end) {
    int at = from;
    while (at < end && text[at] >= '0' && text[at] <= '9') {
      at++;
    }
    return at - from;
  }
}
