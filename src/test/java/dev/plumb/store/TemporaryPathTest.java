package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TemporaryPathTest {
  @TempDir Path folder;

  /** Makes a temporary file and a temporary folder with a file in it, and waits to be killed. */
  static final class Maker {
    public static void main(String[] args) throws Exception {
      Files.writeString(TemporaryPath.file(Path.of(args[0])).path(), "half");
      Files.writeString(TemporaryPath.folder(Path.of(args[0])).path().resolve("checkpoint.safetensors"), "half");
      System.out.println("made");
      System.in.read();
    }
  }

  @Test
  void filesOfAProcessAreKeptUntilItIsKilled() throws Exception {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Maker.class.getName(), folder.toString())
        .redirectErrorStream(true).start();
    assertEquals("made", process.inputReader().readLine());
    List<String> made = names();
    assertEquals(4, made.size(), "a file, a folder and the lock of each: " + made);
    TemporaryPath.deleteAbandoned(folder);
    assertEquals(made, names(), "while the process lives");
    process.destroyForcibly().waitFor();
    TemporaryPath.deleteAbandoned(folder);
    assertEquals(List.of(), names());
  }

  @Test
  void filesOfThisProcessAreKeptUntilTheyAreClosed() throws IOException {
    try (TemporaryPath file = TemporaryPath.file(folder); TemporaryPath inner = TemporaryPath.folder(folder)) {
      Files.writeString(file.path(), "half");
      Files.writeString(inner.path().resolve("model"), "half");
      List<String> made = names();
      TemporaryPath.deleteAbandoned(folder);
      assertEquals(made, names());
    }
    assertEquals(List.of(), names());
  }

  @Test
  void writingAFileNextToAbandonedOnesDeletesThem() throws IOException {
    Files.writeString(folder.resolve(".plumb-" + UUID.randomUUID() + ".tmp"), "half");
    Files.createFile(folder.resolve(".plumb-" + UUID.randomUUID() + ".lock"));
    Path inner = Files.createDirectory(folder.resolve(".plumb-" + UUID.randomUUID()));
    Files.writeString(inner.resolve("manifest.json"), "{}");
    AtomicFile.requireWritable(folder.resolve("result.json"));
    assertEquals(List.of(), names());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void filesOfOtherProgramsAreKept() throws IOException {
    UUID id = UUID.randomUUID();
    Files.writeString(folder.resolve(".plumb-notes"), "mine");
    Files.writeString(folder.resolve(".plumb-notes.tmp"), "mine");
    Files.writeString(folder.resolve(".plumb-" + id + ".csv"), "mine");
    Files.writeString(folder.resolve("x.plumb-" + id), "mine");
    Files.writeString(Files.createDirectory(folder.resolve("data")).resolve("table.csv"), "mine");
    List<String> before = names();
    Files.createSymbolicLink(folder.resolve(".plumb-" + id), folder.resolve("data"));
    TemporaryPath.deleteAbandoned(folder);
    assertEquals(before, names(), "the link is gone, and nothing else");
    assertTrue(Files.exists(folder.resolve("data/table.csv")));
    TemporaryPath.deleteAbandoned(folder.resolve("none"));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
