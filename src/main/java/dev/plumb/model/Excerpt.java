package dev.plumb.model;

/** Cuts long texts for messages: names, values and keys of files that users gave may have any length. */
public final class Excerpt {
  /** Longer than any name that a person reads. */
  private static final int MAX_NAME = 100;

  private Excerpt() {}

  /** Returns the text, or the first 100 code points of it and three dots. */
  public static String of(String text) {
    return of(text, MAX_NAME);
  }

  /** Returns the text, or the first code points of it and three dots. */
  public static String of(String text, int codePoints) {
    return fits(text, codePoints) ? text : text.substring(0, text.offsetByCodePoints(0, codePoints)) + "...";
  }

  private static boolean fits(String text, int codePoints) {
    return text.length() <= codePoints
        || text.length() <= 2L * codePoints && text.codePointCount(0, text.length()) <= codePoints;
  }
}
