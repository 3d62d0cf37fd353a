package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import org.junit.jupiter.api.function.Executable;

/** What is said of bad data: one line. */
final class Refusals {
  private Refusals() {}

  static void assertRefused(String message, Executable action) {
    assertEquals(message, refusal(action));
  }

  static String refusal(Executable action) {
    String message = assertThrows(InvalidInputException.class, action).getMessage();
    assertFalse(message.contains("\n"), message);
    return message;
  }
}
