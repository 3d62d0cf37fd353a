package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TerminalOutputTest {
  @Test
  void controlSequencesBecomeQuestionMarks() throws IOException {
    assertEquals("?]0;TITLE?", written("\u001b]0;TITLE\u0007"));
    assertEquals("a?b?c?d?e?f?g?h", written("a\rb\bc\u007fd\u009b" + "e\u202ef\u2066g\u2028h"));
    assertEquals("?", written("\0"));
  }

  @Test
  void textLinesAndTabsStay() throws IOException {
    String text = "na\u00efve,\u6df1\u5ea6\t\"two\nlines\"\n\ud83d\ude00 =HYPERLINK(\"x\")\n";
    assertEquals(text, written(text));
  }

  @Test
  void bytesThatAreNoUtf8StayUnlessTheyAreControlCharactersInLatin1() throws IOException {
    byte[] bytes = {(byte) 0xe4, 'a', (byte) 0x9b, (byte) 0xff, (byte) 0xc3, (byte) 0xc3, (byte) 0xa4, (byte) 0xf0, (byte) 0x9f};
    byte[] expected = {(byte) 0xe4, 'a', '?', (byte) 0xff, (byte) 0xc3, (byte) 0xc3, (byte) 0xa4, (byte) 0xf0, '?'};
    assertArrayEquals(expected, written(bytes));
  }

  @Test
  void filesAreNoTerminals() {
    assertFalse(TerminalOutput.isTerminal(Path.of("/dev/null")));
    assertFalse(TerminalOutput.isTerminal(Path.of("pom.xml")));
    assertFalse(TerminalOutput.isTerminal(Path.of("no such file")));
  }

  private static String written(String text) throws IOException {
    return new String(written(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
  }

  private static byte[] written(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TerminalOutput terminal = new TerminalOutput(out)) {
      terminal.write(bytes);
    }
    return out.toByteArray();
  }
}
