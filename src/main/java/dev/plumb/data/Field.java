package dev.plumb.data;

/**
 * Field of a text file.
 *
 * @param text without quotes; without surrounding blanks when the field is not quoted
 */
record Field(String text, boolean quoted, long line) {
  static Field of(char[] text, int offset, int length, boolean quoted, long line) {
    int from = offset;
    int to = offset + length;
    if (!quoted) {
      while (from < to && isBlank(text[from])) {
        from++;
      }
      while (from < to && isBlank(text[to - 1])) {
        to--;
      }
    }
    return new Field(new String(text, from, to - from), quoted, line);
  }

  static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }
}
