package dev.plumb.data;

import dev.plumb.model.Excerpt;

/** Text from a file, in the form that messages have it. */
final class Shown {
  private static final int MAX_CHARACTERS = 40;

  private Shown() {}

  /** Cuts long text at a whole character, and replaces control characters by blanks. */
  static String text(String text) {
    return Excerpt.of(text, MAX_CHARACTERS).replaceAll("\\p{Cntrl}", " ");
  }
}
