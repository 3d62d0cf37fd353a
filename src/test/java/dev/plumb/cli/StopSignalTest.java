package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StopSignalTest {
  @ParameterizedTest
  @ValueSource(strings = {"", " and loses progress since the last checkpoint"})
  @Timeout(60)
  void messageSaysWhatASecondSignalLoses(String more) throws Exception {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (StopSignal stop = StopSignal.open(more, new PrintStream(err, true, StandardCharsets.UTF_8))) {
      Class<?> signal = Class.forName("sun.misc.Signal");
      signal.getMethod("raise", signal).invoke(null, signal.getConstructor(String.class).newInstance("TERM"));
      while (!stop.isRequested() || err.size() == 0) {
        Thread.sleep(5);
      }
    }
    assertEquals("stopping after this step; a second Ctrl-C stops immediately" + more + System.lineSeparator(),
        err.toString(StandardCharsets.UTF_8));
  }
}
