package dev.plumb.cli;

import dev.plumb.store.TerminalOutput;

/** Text from users' files, made harmless for a terminal. */
final class TerminalText {
  private TerminalText() {}

  /** No name that anyone means to read is longer. */
  private static final int LONGEST = 1000;

  /** What moves the cursor or changes the direction of writing becomes a question mark; what is very long is cut. */
  static String sanitize(String text) {
    String shown = text.codePoints()
        .limit(LONGEST)
        .map(c -> TerminalOutput.isHarmless(c) ? c : '?')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
    return text.codePointCount(0, text.length()) > LONGEST ? shown + "..." : shown;
  }
}
