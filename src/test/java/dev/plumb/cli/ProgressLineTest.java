package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  @AfterEach
  void forgetTheTerminal() {
    System.clearProperty(ProgressLine.TERMINAL_PROPERTY);
  }

  @Test
  void isShownOnATerminal() {
    String shown = shown("true", false);
    assertTrue(shown.contains("task") && shown.contains("7/10"), shown);
  }

  @Test
  void isSilentElsewhereAndWhenQuiet() {
    assertEquals("", shown("false", false));
    assertEquals("", shown("true", true));
  }

  private static String shown(String terminal, boolean quiet) {
    System.setProperty(ProgressLine.TERMINAL_PROPERTY, terminal);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (ProgressLine line =
        ProgressLine.open("task", 0, 10, quiet, new PrintStream(err, true, StandardCharsets.UTF_8))) {
      line.done(7);
      // The bar draws itself every 100 ms.
      for (int i = 0; i < 100 && !err.toString(StandardCharsets.UTF_8).contains("7/10") && terminal.equals("true")
          && !quiet; i++) {
        Thread.sleep(50);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return err.toString(StandardCharsets.UTF_8);
  }
}
