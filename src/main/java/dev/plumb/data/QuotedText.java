package dev.plumb.data;

import dev.plumb.model.Excerpt;

/** Quotations of text from a file in messages. */
final class QuotedText {
  private static final int MAX_CODE_POINTS = 40;

  private QuotedText() {}

  /** Returns the text in quotes, cut to 40 code points, with control characters replaced by blanks. */
  static String of(String text) {
    return "\"" + Excerpt.of(text, MAX_CODE_POINTS).replaceAll("\\p{Cntrl}", " ") + "\"";
  }
}
