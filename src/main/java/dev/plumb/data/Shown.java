package dev.plumb.data;

/** Text from a file, in the form that messages have it. */
final class Shown {
  private static final int MAX_CHARACTERS = 40;

  private Shown() {}

  /** Cuts long text at a whole character, and makes blanks of control characters. */
  static String text(String text) {
    int characters = text.codePointCount(0, text.length());
    String start = characters > MAX_CHARACTERS ? text.substring(0, text.offsetByCodePoints(0, MAX_CHARACTERS)) + "..." : text;
    return start.replaceAll("\\p{Cntrl}", " ");
  }
}
