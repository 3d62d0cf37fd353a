package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Arguments, file names and messages where Java is started in a C locale. */
class LocaleEncodingTest {
  private static final String REMEDY = "; set LC_ALL=C.UTF-8\n";

  @TempDir Path folder;

  @Test
  @EnabledOnOs(OS.LINUX)
  void argumentWithALetterThatTheLocaleLacksIsNamedWithTheRemedy() throws Exception {
    for (String arguments : List.of("train 'm?.csv'", "train g.csv --target 'm?.csv'", "train g.csv --runs 'm?.csv'",
        "export g.csv 'm?.csv'", "study g.json --json 'm?.csv'")) {
      Ran ran = inCLocale("", arguments.replace("?", "'$(printf '\\303\\244')'"));
      String command = arguments.split(" ")[0];
      assertEquals(new Ran(2, "",
          "plumb " + command + ": the argument \"m??.csv\" is not in US-ASCII, the encoding of this locale" + REMEDY), ran);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void fileThatTheLocaleCannotNameGetsAnotherName() throws Exception {
    Files.writeString(folder.resolve("grid.json"), """
        {"name": "Größe", "epochs": 2, "lossAtEpochs": [1], "data": {"samples": 4}, "grid": {"depth": [1], "width": [2]}}""");
    Ran ran = inCLocale("", "study grid.json --device reference");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(Files.exists(folder.resolve("Gr_e-1.runs")), files().toString());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void workingFolderThatTheLocaleCannotNameIsRefused() throws Exception {
    Ran ran = inCLocale("mkdir -p \"$(printf 'd\\303\\244')\"; cd d*; ", "train ../g.csv");
    assertEquals("plumb train: the name of the working folder \"" + folder.toRealPath()
        + "/d??\" is not in US-ASCII, the encoding of this locale" + REMEDY, ran.err());
    assertEquals(2, ran.code());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void messagesAreUtf8() throws Exception {
    Files.writeString(folder.resolve("g.csv"), "a,größe\n1,2\n3,4\n");
    Ran ran = inCLocale("", "train g.csv --target missing");
    assertTrue(ran.err().startsWith("plumb train: g.csv: there is no column \"missing\"; ") && ran.err().contains("größe"),
        ran.err());
  }

  @Test
  void nameThatIsNoFileNameAnywhereIsRefused() {
    assertEquals("\"a\0b\" cannot be a file name: it contains a NUL character",
        assertThrows(InvalidInputException.class, () -> LocaleEncoding.path("a\0b")).getMessage());
    assertEquals("\"a\" cannot be a file name: too odd",
        LocaleEncoding.invalid(new InvalidPathException("a", "too odd")).getMessage());
  }

  /** Java reads bytes that are not in the encoding as U+FFFD, which may be part of a name, too. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void replacementCharacterIsTakenOnlyWhereThereIsSuchAFile() throws Exception {
    assertEquals("the file name \"m?.csv\" is not in UTF-8, the encoding of this locale; rename it, or set LC_ALL to a locale with its"
        + " encoding", run("C.UTF-8", "", "train \"$(printf 'm\\344.csv')\"").err().replaceFirst("plumb train: ", "").strip());
    Ran ran = run("C.UTF-8", "printf 'a,y\\n' > \"$(printf 'm\\357\\277\\275.csv')\"; ", "train m*.csv");
    assertFalse(ran.err().contains("encoding"), ran.err());
    assertEquals(2, ran.code());
  }

  private Ran inCLocale(String before, String arguments) throws Exception {
    return run("C", before, arguments);
  }

  /** Runs Plumb from a shell, which passes on bytes as they are. */
  private Ran run(String locale, String before, String arguments) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java") + " -XX:TieredStopAtLevel=1 -cp '"
        + System.getProperty("java.class.path") + "' " + Main.class.getName() + " ";
    return Ran.of(folder, Map.of("LC_ALL", locale), "/bin/sh", "-c", before + "exec " + java + arguments);
  }

  private List<Path> files() throws Exception {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> !file.getFileName().toString().startsWith("std")).sorted().toList();
    }
  }
}
