package dev.plumb.model;

/** Shortened text for messages: names, values and keys in users' files may have any length. */
public final class Excerpt {
  private static final int MAX_NAME = 100;

  private Excerpt() {}

  /**
   * Returns the text, cut to its first 100 code points and "..." when it is longer.
   *
   * @param text of any length
   * @return at most 100 code points, with "..." after a cut
   */
  public static String of(String text) {
    return of(text, MAX_NAME);
  }

  /**
   * Returns the text, cut to a number of code points and "..." when it is longer.
   *
   * @param text of any length
   * @param codePoints to keep
   * @return at most that many code points, with "..." after a cut
   */
  public static String of(String text, int codePoints) {
    return fits(text, codePoints) ? text : text.substring(0, text.offsetByCodePoints(0, codePoints)) + "...";
  }

  private static boolean fits(String text, int codePoints) {
    return text.length() <= codePoints
        || text.length() <= 2L * codePoints && text.codePointCount(0, text.length()) <= codePoints;
  }
}
