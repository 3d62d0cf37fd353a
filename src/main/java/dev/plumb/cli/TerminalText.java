package dev.plumb.cli;

import dev.plumb.store.TerminalOutput;

/** Text that is safe to print on a terminal. */
final class TerminalText {
  private TerminalText() {}

  /** The maximum number of code points; longer text is cut. */
  private static final int MAX_LENGTH = 1000;

  /** Replaces characters that move the cursor or change the writing direction by question marks, and cuts very long text. */
  static String sanitize(String text) {
    String shown = text.codePoints()
        .limit(MAX_LENGTH)
        .map(c -> TerminalOutput.isHarmless(c) ? c : '?')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
    return text.codePointCount(0, text.length()) > MAX_LENGTH ? shown + "..." : shown;
  }
}
