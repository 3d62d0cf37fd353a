package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileNamesTest {
  private static final String SUPPLEMENTARY = Character.toString(0x20000);

  @TempDir Path folder;

  @Test
  void lettersDigitsAndSomeMarksStay() {
    assertEquals("iris_v1.2-b", FileNames.of("iris_v1.2-b", "run"));
    assertEquals("two_by_two", FileNames.of("two by/\\:two", "run"));
    assertEquals("run", FileNames.of("", "run"));
    assertEquals("run..", FileNames.of("..", "run"));
    assertEquals("run.hidden", FileNames.of(".hidden", "run"));
  }

  @Test
  void longNamesAreCutBetweenCodePoints() {
    assertEquals("a".repeat(60), FileNames.of("a".repeat(61), "run"));
    assertEquals("a".repeat(58) + SUPPLEMENTARY, FileNames.of("a".repeat(58) + SUPPLEMENTARY.repeat(2), "run"));
    assertEquals("a".repeat(59), FileNames.of("a".repeat(59) + SUPPLEMENTARY.repeat(2), "run"));
    assertEquals(SUPPLEMENTARY.repeat(30), FileNames.of(SUPPLEMENTARY.repeat(40), "run"));
    assertEquals("_a_", FileNames.of("\ud840a\udc00", "run"));
  }

  @Test
  void anyNameIsAFileNameThatLeavesRoomForAnEnding() throws IOException {
    long seed = 20260110;
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      int[] codePoints = random.ints(random.nextInt(120), 0, 0x30000).toArray();
      // Among the first planes, letters of one to four bytes and lone surrogates are common.
      String name = FileNames.of(new String(codePoints, 0, codePoints.length), "run") + "-999999999";
      assertTrue(name.getBytes(StandardCharsets.UTF_8).length <= 200, "seed " + seed + ": " + name);
      Path made = Files.createFile(folder.resolve(name + "." + i));
      assertTrue(Files.exists(made), "seed " + seed);
    }
  }
}
