package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.commons.cli.Option;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelpTest {
  @ParameterizedTest
  @ValueSource(strings = {"train", "evaluate", "predict", "score", "importance", "cv", "tune", "runs", "compare", "export", "study",
      "check", "devices"})
  void pageFitsInOneHundredColumns(String command) {
    Plumbed help = Plumbed.run(command, "--help");
    assertEquals(0, help.code());
    assertTrue(help.out().startsWith("usage: plumb " + command + " "), help.out());
    help.out().lines().forEach(line -> assertTrue(line.length() <= 100, line));
  }

  @Test
  void descriptionsOfOptionsAreSentencesWithoutDoubleBlanks() throws IllegalAccessException {
    for (var field : Flags.class.getDeclaredFields()) {
      if (field.getType() == Option.class) {
        String description = ((Option) field.get(null)).getDescription();
        assertTrue(description.endsWith(".") && !description.contains("  "), description);
      }
    }
  }

  @Test
  void textIsBrokenAtBlanksAndLongWordsGetTheirOwnLine() {
    assertEquals(List.of("a bb", "cccccccc", "d e"), WordWrap.lines("a bb cccccccc d e", 5));
    assertEquals(List.of("abcde f"), WordWrap.lines("abcde f", 7));
    assertEquals(List.of(""), WordWrap.lines("", 7));
  }
}
