package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void writesTheWholeFileAndNothingElse() throws IOException {
    Path file = folder.resolve("result.json");
    AtomicFile.requireWritable(file);
    assertEquals(List.of(), names(), "a test of the target leaves nothing behind");
    write(file, "one");
    write(file, "two");
    assertEquals("two", Files.readString(file));
    assertEquals(List.of("result.json"), names());
  }

  @Test
  void failureHalfwayKeepsWhatWasThere() throws IOException {
    Path file = folder.resolve("result.json");
    write(file, "old");
    InvalidInputException e = assertThrows(InvalidInputException.class, () -> AtomicFile.write(file, out -> {
      out.write("half".getBytes(StandardCharsets.UTF_8));
      throw new IOException("No space left on device");
    }));
    assertEquals("cannot write " + file + ": No space left on device", e.getMessage());
    assertEquals("old", Files.readString(file));
    assertEquals(List.of("result.json"), names());
  }

  @Test
  void bugHalfwayLeavesNothingBehindEither() {
    Path file = folder.resolve("result.json");
    assertThrows(IllegalStateException.class, () -> AtomicFile.write(file, out -> {
      throw new IllegalStateException();
    }));
    assertEquals(List.of(), names());
  }

  @Test
  void missingFolderAndFolderAsTargetAreRefusedEarly() {
    Path inNowhere = folder.resolve("nowhere/result.json");
    String message = assertThrows(InvalidInputException.class, () -> AtomicFile.requireWritable(inNowhere)).getMessage();
    assertEquals("cannot write " + inNowhere + ": there is no folder " + inNowhere.getParent(), message);
    message = assertThrows(InvalidInputException.class, () -> AtomicFile.requireWritable(folder)).getMessage();
    assertEquals("cannot write " + folder + ": it is a folder, not a file", message);
    assertThrows(InvalidInputException.class, () -> write(folder, "x"));
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void linkStaysALink() throws IOException {
    Path real = folder.resolve("real.json");
    Path link = folder.resolve("link.json");
    write(real, "old");
    Files.createSymbolicLink(link, real);
    write(link, "new");
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("new", Files.readString(real));
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void linkToNothingYetLeadsToTheNewFile() throws IOException {
    Path real = folder.resolve("real.json");
    Path link = Files.createSymbolicLink(folder.resolve("link.json"), Path.of("real.json"));
    write(link, "new");
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("new", Files.readString(real));
    Path one = Files.createSymbolicLink(folder.resolve("one"), Path.of("two"));
    Files.createSymbolicLink(folder.resolve("two"), Path.of("one"));
    String message = assertThrows(InvalidInputException.class, () -> write(one, "x")).getMessage();
    assertEquals("cannot write " + one + ": too many symbolic links", message);
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void replacedFileKeepsItsPermissions() throws IOException {
    Path file = folder.resolve("secret.json");
    write(file, "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    write(file, "new");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void longestNamesFitToo() throws IOException {
    Path file = folder.resolve("x".repeat(250));
    AtomicFile.requireWritable(file);
    write(file, "new");
    assertEquals("new", Files.readString(file));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void fileInSharedMemoryIsAFile() throws IOException {
    Path file = Path.of("/dev/shm/plumb-test-" + ProcessHandle.current().pid() + ".json");
    try {
      write(file, "a long first version");
      write(file, "short");
      assertEquals("short", Files.readString(file));
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void deviceIsWrittenToAndNeverReplaced() {
    Path full = Path.of("/dev/full");
    AtomicFile.requireWritable(full);
    String message = assertThrows(InvalidInputException.class, () -> write(full, "x")).getMessage();
    assertEquals("cannot write /dev/full: No space left on device", message);
    assertTrue(Files.exists(full) && !Files.isRegularFile(full), "the device is still one");
    write(Path.of("/dev/null"), "x");
  }

  private static void write(Path file, String text) {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private List<String> names() {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
