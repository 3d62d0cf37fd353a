package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TerminalTextTest {
  @Test
  void whatMovesTheCursorOrTurnsTheWritingIsTakenOut() {
    assertEquals("a?b?c?d?e?f", TerminalText.sanitize("a\u001bb\nc\u2028d\u202ee\u009bf"));
    assertEquals("na\u00efve \u6df1\u5ea6", TerminalText.sanitize("na\u00efve \u6df1\u5ea6"));
  }

  @Test
  void veryLongTextIsCut() {
    assertEquals("x".repeat(1000) + "...", TerminalText.sanitize("x".repeat(100_000)));
    assertEquals("x".repeat(1000), TerminalText.sanitize("x".repeat(1000)));
  }
}
