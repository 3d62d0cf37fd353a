package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PrintableTest {
  @Test
  void whatMovesTheCursorOrTurnsTheWritingIsTakenOut() {
    assertEquals("a?b?c?d?e?f", Printable.text("a\u001bb\nc\u2028d\u202ee\u009bf"));
    assertEquals("na\u00efve \u6df1\u5ea6", Printable.text("na\u00efve \u6df1\u5ea6"));
  }

  @Test
  void veryLongTextIsCut() {
    assertEquals("x".repeat(1000) + "...", Printable.text("x".repeat(100_000)));
    assertEquals("x".repeat(1000), Printable.text("x".repeat(1000)));
  }
}
