package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ExcerptTest {
  private static final String SMILE = "\uD83D\uDE00";

  @Test
  void shortTextsAreUnchanged() {
    assertEquals("", Excerpt.of(""));
    assertEquals("x".repeat(100), Excerpt.of("x".repeat(100)));
    assertEquals(SMILE.repeat(100), Excerpt.of(SMILE.repeat(100)));
  }

  @Test
  void longTextsAreCutBetweenCodePoints() {
    assertEquals("x".repeat(100) + "...", Excerpt.of("x".repeat(101)));
    assertEquals(SMILE.repeat(100) + "...", Excerpt.of(SMILE.repeat(101)));
    assertEquals("x" + SMILE + "...", Excerpt.of("x" + SMILE + SMILE, 2));
  }

  @Test
  void messagesOfExceptionsAreCut() {
    assertEquals(2003, new InvalidInputException("x".repeat(1_000_000)).at("place").getMessage().length());
  }
}
