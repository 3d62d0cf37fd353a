package dev.plumb.data;

import dev.plumb.model.Excerpt;

/** Text from a file, in the form that messages have it. */
final class QuotedText {
  private static final int MAX_CHARACTERS = 40;

  private QuotedText() {}

  /** Cuts long text at a whole character, and replaces control characters by blanks. */
  static String of(String text) {
    return "\"" + Excerpt.of(text, MAX_CHARACTERS).replaceAll("\\p{Cntrl}", " ") + "\"";
  }
}
