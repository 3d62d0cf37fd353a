package dev.plumb.backend.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Where native libraries are unpacked to, by processes with a home and temporary files of their own. */
@DisabledOnOs(OS.WINDOWS)
class NativeFolderTest {
  private static final String FIRST = "the first library";

  @TempDir Path folder;
  private Path home;
  private Path temp;

  @BeforeEach
  void makeFolders() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
    temp = Files.createDirectory(folder.resolve("temp"));
  }

  @Test
  void cacheIsTheUsersAloneAndKeepsTheLibraries() throws Exception {
    Path opened = open(home);
    assertTrue(opened.startsWith(home.resolve(".cache/plumb").toRealPath()), opened.toString());
    for (Path path : List.of(home.resolve(".cache"), opened.getParent(), opened, opened.resolve("liba.so"))) {
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)), path.toString());
    }
    FileTime made = Files.getLastModifiedTime(opened.resolve("liba.so"));
    assertEquals(opened, open(home));
    assertEquals(made, Files.getLastModifiedTime(opened.resolve("liba.so")), "it is used as it is");
    assertEquals(List.of("liba.so", "libb.so"), names(opened));
    assertEquals(List.of(), names(temp));
  }

  @Test
  void fileWithOtherContentIsReplaced() throws Exception {
    Path library = open(home).resolve("liba.so");
    FileTime made = Files.getLastModifiedTime(library);
    for (String content : List.of("the first Library", "the first", "", "the first library, and more")) {
      Files.writeString(library, content);
      Files.setLastModifiedTime(library, made);
      open(home);
      assertEquals(FIRST, Files.readString(library));
    }
    Files.delete(library);
    Files.createSymbolicLink(library, Files.writeString(folder.resolve("another"), FIRST));
    open(home);
    assertFalse(Files.isSymbolicLink(library));
  }

  @Test
  void whatOthersCouldWriteToIsMadePrivate() throws Exception {
    Path opened = open(home);
    Path library = opened.resolve("liba.so");
    Object file = Files.readAttributes(library, "unix:ino").get("ino");
    Files.setPosixFilePermissions(opened, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.setPosixFilePermissions(library, PosixFilePermissions.fromString("rwxrwxr-x"));
    assertEquals(opened, open(home));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(opened)));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(library)));
    assertFalse(Files.readAttributes(library, "unix:ino").get("ino").equals(file), "another file, which nobody has open");
  }

  @Test
  void withoutACacheAPrivateFolderIsUsedAndDeleted() throws Exception {
    for (Path home : List.of(Path.of("?"), Files.createFile(folder.resolve("file")), Path.of("/proc"))) {
      Path opened = open(home);
      assertTrue(opened.startsWith(temp.toRealPath()), opened.toString());
      assertFalse(Files.exists(opened));
      assertEquals(List.of(), names(temp));
    }
  }

  @Test
  void whatAKilledProcessLeftIsDeletedAndWhatALivingOneUsesIsNot() throws Exception {
    Process living = start(Path.of("?"), "wait");
    Path used = Path.of(living.inputReader().readLine());
    Process killed = start(Path.of("?"), "wait");
    Path left = Path.of(killed.inputReader().readLine());
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(left)));
    killed.destroyForcibly().waitFor();
    assertTrue(Files.exists(left));
    for (Path home : List.of(home, Path.of("?"))) {
      open(home);
      assertFalse(Files.exists(left));
      assertEquals(List.of(".plumb-lock", "liba.so", "libb.so"), names(used));
    }
    living.destroyForcibly().waitFor();
    open(home);
    assertEquals(List.of(), names(temp));
  }

  @Test
  void folderWithoutALockIsLeftToTheProcessThatMakesIt() throws Exception {
    Path young = Files.createDirectory(temp.resolve("plumb-natives-1"));
    Path old = Files.createDirectory(temp.resolve("plumb-natives-2"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofMinutes(2))));
    open(home);
    assertTrue(Files.exists(young));
    assertFalse(Files.exists(old));
  }

  @Test
  void unfinishedFilesAndLibrariesThatNobodyUsesAreDeletedFromTheCache() throws Exception {
    Path opened = open(home);
    Files.writeString(opened.resolve("liba.so123.unfinished"), "the fir");
    Path old = Files.createDirectory(opened.resolveSibling("test-old"));
    Files.writeString(old.resolve("liba.so"), "old");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(31))));
    Files.setLastModifiedTime(opened, FileTime.from(Instant.now().minus(Duration.ofDays(31))));
    Path recent = Files.createDirectory(opened.resolveSibling("test-recent"));
    assertEquals(opened, open(home));
    assertEquals(List.of("liba.so", "libb.so"), names(opened));
    assertEquals(List.of(opened.getFileName().toString(), recent.getFileName().toString()), names(opened.getParent()));
  }

  @Test
  void libraryOfAJarIsComparedWithWhatTheJarLists() throws Exception {
    Path jar = folder.resolve("a.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.setMethod(ZipOutputStream.DEFLATED);
      zip.putNextEntry(new ZipEntry("lib/liba.so"));
      zip.write(FIRST.getBytes(StandardCharsets.UTF_8));
    }
    NativeLibrary library = NativeLibrary.of("liba.so", new URL("jar:" + jar.toUri() + "!/lib/liba.so"));
    assertEquals(NativeLibrary.of("liba.so", FIRST.getBytes(StandardCharsets.UTF_8)).key(), library.key());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    library.write(out);
    assertEquals(FIRST, out.toString(StandardCharsets.UTF_8));
    assertThrows(FileNotFoundException.class, () -> NativeLibrary.of("liba.so", (URL) null));
  }

  @Test
  void jarWithOtherBytesThanItListsIsRefused() throws Exception {
    Path jar = folder.resolve("a.jar");
    ZipEntry entry = new ZipEntry("liba.so");
    entry.setMethod(ZipEntry.STORED);
    byte[] content = FIRST.getBytes(StandardCharsets.UTF_8);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(entry);
      zip.write(content);
    }
    Files.write(jar, new String(Files.readAllBytes(jar), StandardCharsets.ISO_8859_1).replace(FIRST, "the first Library")
        .getBytes(StandardCharsets.ISO_8859_1));
    NativeLibrary library = NativeLibrary.of("liba.so", new URL("jar:" + jar.toUri() + "!/liba.so"));
    assertEquals("the jar is damaged: its library liba.so is not as it was packed",
        assertThrows(IOException.class, () -> library.write(OutputStream.nullOutputStream())).getMessage());
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> !name.startsWith("hsperfdata")).sorted().toList();
    }
  }

  @Test
  void threadThatIsInterruptedGetsItsFolderToo() throws Exception {
    for (Path home : List.of(home, Path.of("?"))) {
      List<String> printed = run(home, "interrupt");
      assertEquals("true", printed.get(1), "it stays interrupted");
      assertTrue(Path.of(printed.get(0)).startsWith((home.isAbsolute() ? home : temp).toRealPath()), printed.get(0));
    }
  }

  private Path open(Path home) throws Exception {
    return Path.of(run(home).get(0));
  }

  private List<String> run(Path home, String... arguments) throws Exception {
    Process process = start(home, arguments);
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), printed);
    return printed.lines().toList();
  }

  private Process start(Path home, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto",
        "-XX:TieredStopAtLevel=1", "-Duser.home=" + home, "-Djava.io.tmpdir=" + temp, "-cp", System.getProperty("java.class.path"),
        OpenedFolder.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("XDG_CACHE_HOME");
    return builder.start();
  }
}
