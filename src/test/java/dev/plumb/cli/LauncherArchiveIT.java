package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The archive of classes that scripts/plumb makes, in a repository of the test's own. Runs after the jar was packaged. */
@DisabledOnOs(OS.WINDOWS)
class LauncherArchiveIT {
  private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));
  private static final String MAKING = "-XX:ArchiveClassesAtExit=";
  private static final String USING = "-XX:SharedArchiveFile=";

  @TempDir Path folder;

  private Path launcher;
  private Path launched;

  /** A JDK that writes down what its Java is called with. */
  private final class Jdk {
    private final Path home;
    private final Path calls;

    /** @param whenMaking lines of the shell that come before Java when an archive is to be made */
    Jdk(String name, String whenMaking) throws IOException {
      home = folder.resolve(name);
      calls = folder.resolve(name + " calls");
      Files.createDirectories(home.resolve("bin"));
      if (Files.exists(JAVA_HOME.resolve("release"))) {
        Files.copy(JAVA_HOME.resolve("release"), home.resolve("release"), StandardCopyOption.REPLACE_EXISTING);
      }
      Path java = Files.writeString(home.resolve("bin/java"), "#!/bin/sh\necho \"$*\" >> '" + calls + "'\ncase $1 in " + MAKING
          + "*)\n" + whenMaking + "\nesac\nexec '" + JAVA_HOME.resolve("bin/java") + "' \"$@\"\n");
      assertTrue(java.toFile().setExecutable(true));
    }

    /** Runs plumb --version, whose output must not depend on the archive. */
    void runsPlumb(String options) throws Exception {
      Ran ran = Ran.of(folder, environment(options), launcher.toString(), "--version");
      assertEquals(0, ran.code(), ran.err());
      assertEquals("", ran.err());
      assertTrue(ran.out().startsWith("plumb ") && ran.out().lines().count() == 1, ran.out());
    }

    /** Returns whether plumb --version loads its classes from an archive on top of the JDK's own. */
    boolean loadsFromArchive() throws Exception {
      Ran ran = Ran.of(folder, environment("-Xlog:class+load"), launcher.toString(), "--version");
      assertEquals("", ran.err());
      String main = ran.out().lines().filter(line -> line.contains(" dev.plumb.cli.Main ")).findFirst().orElseThrow();
      return main.contains("shared objects file (top)");
    }

    Map<String, String> environment(String options) {
      return Map.of("JAVA_HOME", home.toString(), "PLUMB_JAVA_OPTS", options);
    }

    long timesMaking() throws IOException {
      return Files.readAllLines(calls).stream().filter(call -> call.startsWith(MAKING)).count();
    }

    boolean lastCallUsesArchive() throws IOException {
      List<String> all = Files.readAllLines(calls);
      return all.get(all.size() - 1).contains(USING);
    }
  }

  @BeforeEach
  void makeRepository() throws IOException {
    Path root = folder.resolve("repository");
    Files.createDirectories(root.resolve("src/main"));
    Files.createDirectories(root.resolve("native-config"));
    Files.createFile(root.resolve("pom.xml"));
    launcher = Files.createDirectories(root.resolve("scripts")).resolve("plumb");
    Files.copy(Path.of("scripts/plumb"), launcher, StandardCopyOption.COPY_ATTRIBUTES);
    launched = Files.createDirectories(root.resolve("target/launcher"));
    installJar(0);
  }

  @Test
  void archiveIsMadeOnceAndUsed() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    jdk.runsPlumb("");
    assertTrue(jdk.lastCallUsesArchive(), "the first run does already");
    jdk.runsPlumb("");
    assertTrue(jdk.loadsFromArchive());
    assertEquals(1, jdk.timesMaking());
    assertEquals(1, archives().size(), archives().toString());
  }

  @Test
  void archiveHoldsWhatAStudyNeeds() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    Path spec = Files.writeString(folder.resolve("spec.json"), """
        {"epochs": 1, "data": {"samples": 4}, "networks": [{"layers": [3,1], "activation": "relu"},
        {"layers": [3,2,2,1], "activation": "sigmoid"}]}""");
    Ran ran = Ran.of(folder, jdk.environment("-Xlog:class+load"), launcher.toString(), "study", spec.toString(),
        "--json", folder.resolve("result.json").toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals(List.of(), ran.out().lines().filter(line -> line.contains(" source: file:")).toList(), "classes from the jar");
  }

  @Test
  void anotherJarNeedsAnotherArchive() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    jdk.runsPlumb("");
    installJar(10);
    assertTrue(jdk.loadsFromArchive());
    assertEquals(2, jdk.timesMaking());
    assertEquals(1, archives().size(), archives().toString());
  }

  /** Neither the unfinished archive nor one of another jar. */
  @Test
  void launchWhileAnotherMakesTheArchiveUsesNone() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    jdk.runsPlumb("");
    installJar(10);
    Path nested = folder.resolve("nested");
    new Jdk("jdk", "'" + launcher + "' --version > '" + nested + "' 2>&1; exit 1");
    jdk.runsPlumb("");
    assertTrue(Files.readString(nested).startsWith("plumb "), Files.readString(nested));
    List<String> calls = Files.readAllLines(jdk.calls);
    assertEquals(List.of(true, false, false), calls.subList(2, 5).stream().map(call -> call.startsWith(MAKING)).toList());
    assertFalse(calls.get(3).contains(USING), "the one in between");
  }

  @Test
  void everyJdkHasItsOwnArchive() throws Exception {
    Jdk one = new Jdk("one", "");
    Jdk other = new Jdk("other", "");
    for (Jdk jdk : List.of(one, other, one, other)) {
      assertTrue(jdk.loadsFromArchive());
      assertEquals(1, jdk.timesMaking());
    }
    assertEquals(2, archives().size(), archives().toString());
  }

  @Test
  void whereNoArchiveCanBeMadePlumbRunsWithoutAndDoesNotTryAgain() throws Exception {
    Jdk jdk = new Jdk("jdk", "exit 1");
    jdk.runsPlumb("");
    jdk.runsPlumb("");
    assertFalse(jdk.lastCallUsesArchive());
    assertEquals(1, jdk.timesMaking());
  }

  @Test
  void archiveThatDoesNotFitOnTheDiskIsNotUsed() throws Exception {
    Jdk jdk = new Jdk("jdk", "ulimit -f 100");
    jdk.runsPlumb("");
    assertEquals(1, jdk.timesMaking());
    assertFalse(jdk.lastCallUsesArchive());
    assertEquals(0, Files.size(archives().get(0)));
  }

  /** Java maps an archive into memory as it is, and dies of a wrong one. */
  @Test
  void archiveThatWasDamagedIsMadeAnew() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    jdk.runsPlumb("");
    Path archive = archives().get(0);
    FileTime time = Files.getLastModifiedTime(archive);
    byte[] content = Files.readAllBytes(archive);
    byte[] damaged = content.clone();
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      damaged[8192 + random.nextInt(damaged.length - 8192)] ^= (byte) (1 + random.nextInt(255));
    }
    Files.delete(archive);
    Files.write(archive, damaged);
    Files.setLastModifiedTime(archive, time);
    assertTrue(jdk.loadsFromArchive());
    assertEquals(2, jdk.timesMaking());
    assertEquals(1, archives().size(), archives().toString());
  }

  @Test
  void launcherKilledOverAHalfWrittenArchiveDoesNoHarm() throws Exception {
    Jdk jdk = new Jdk("jdk", "echo half > \"${1#*=}\"; kill -KILL $PPID; exit 1");
    Ran killed = Ran.of(folder, jdk.environment(""), launcher.toString(), "--version");
    assertNotEquals(0, killed.code());
    assertEquals(List.of(), archives());
    new Jdk("jdk", "");
    jdk.runsPlumb("");
    assertTrue(jdk.loadsFromArchive());
    try (Stream<Path> all = Files.list(launched)) {
      assertEquals(1, all.filter(file -> file.getFileName().toString().startsWith("classes-")).count(),
          "no temporary file is left");
    }
  }

  @Test
  void firstLaunchesAtTheSameTimeAllRun() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    List<CompletableFuture<Void>> runs = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      runs.add(CompletableFuture.runAsync(() -> {
        try {
          jdk.runsPlumb("");
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }));
    }
    runs.forEach(CompletableFuture::join);
    assertTrue(jdk.loadsFromArchive());
    try (Stream<Path> all = Files.list(launched)) {
      assertEquals(1, all.filter(file -> file.getFileName().toString().startsWith("classes-")).count());
    }
  }

  @Test
  void optionsOfTheUserHaveTheLastWord() throws Exception {
    Jdk jdk = new Jdk("jdk", "");
    jdk.runsPlumb("");
    jdk.runsPlumb("-Xshare:off");
    jdk.runsPlumb("-XX:-UseCompressedOops");
    jdk.runsPlumb("-Xbootclasspath/a:" + launched);
    Path own = folder.resolve("own.jsa");
    Ran ran = Ran.of(folder, jdk.environment(MAKING + own), launcher.toString(), "--version");
    assertEquals(0, ran.code(), ran.out() + ran.err());
    assertTrue(Files.exists(own));
    assertFalse(jdk.lastCallUsesArchive());
  }

  /** Puts a jar there, as the launcher does after a build. */
  private void installJar(int secondsLater) throws IOException {
    Path made = Files.copy(Path.of("target/plumb-all.jar"), launched.resolve("plumb.jar.new"));
    Files.setLastModifiedTime(made, FileTime.fromMillis(System.currentTimeMillis() + 1000L * secondsLater));
    Files.move(made, launched.resolve("plumb.jar"), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Finished ones. */
  private List<Path> archives() throws IOException {
    try (Stream<Path> all = Files.list(launched)) {
      return all.filter(file -> file.getFileName().toString().endsWith(".jsa")).toList();
    }
  }
}
