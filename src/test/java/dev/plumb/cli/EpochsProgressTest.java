package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochsProgressTest {
  private static List<String> lines(boolean quiet, long lineNanos) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (EpochsProgress progress =
        new EpochsProgress("tune", quiet, new PrintStream(err, true, StandardCharsets.UTF_8), lineNanos)) {
      progress.started(4000);
      progress.trained(1000);
      progress.trained(500);
    }
    return err.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void linesAreWrittenOffATerminal() {
    List<String> lines = lines(false, 0);
    assertEquals(2, lines.size());
    assertTrue(lines.get(0).matches("tune: 1,000 of 4,000 epochs(, ETA .+)?"), lines.get(0));
    assertTrue(lines.get(1).matches("tune: 1,500 of 4,000 epochs(, ETA .+)?"), lines.get(1));
  }

  @Test
  void noLineIsWrittenSoonOrWithQuiet() {
    assertEquals(List.of(), lines(false, Long.MAX_VALUE));
    assertEquals(List.of(), lines(true, 0));
  }
}
