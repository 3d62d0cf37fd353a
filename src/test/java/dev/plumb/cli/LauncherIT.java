package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** scripts/plumb and the finished jar, as processes. Runs after the jar was packaged. */
@DisabledOnOs(OS.WINDOWS)
class LauncherIT {
  private static final Path JAR = Path.of("target/plumb-all.jar").toAbsolutePath();
  private static final Path LAUNCHER = Path.of("scripts/plumb").toAbsolutePath();

  @TempDir Path folder;

  @Test
  void runsFromAnyFolderAndThroughALink() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("a link"), LAUNCHER);
    Path linkToLink = Files.createSymbolicLink(folder.resolve("b"), Path.of("a link"));
    for (Path launcher : List.of(LAUNCHER, link, linkToLink)) {
      Ran ran = run(Map.of(), launcher.toString(), "--version");
      assertEquals(0, ran.code(), ran.err());
      assertTrue(ran.out().startsWith("plumb " + Version.CURRENT), ran.out());
      assertEquals("", ran.err(), "the jar is new, nothing is built");
    }
  }

  @Test
  void argumentsArriveAsTheyAreAndTheExitCodeComesBack() throws Exception {
    Ran ran = run(Map.of(), LAUNCHER.toString(), "study", "no such file.json");
    assertEquals(2, ran.code());
    assertEquals("plumb study: no such file.json: there is no such file\n", ran.err());
    ran = run(Map.of(), LAUNCHER.toString(), "study", "--device", "cuda");
    assertEquals(3, ran.code());
  }

  @Test
  void pipeGetsOnlyResultsWithoutControlCharacters() throws Exception {
    Ran ran = run(Map.of(), "bash", "-o", "pipefail", "-c", "\"$0\" study | cat", LAUNCHER.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertFalse(ran.out().chars().anyMatch(c -> c != '\n' && Character.isISOControl(c)), ran.out());
    assertEquals(9, ran.out().lines().count(), ran.out());
  }

  /** As {@code head} closes it after its lines: nothing is wrong then. */
  @Test
  void pipeClosedByItsReaderIsNoError() throws Exception {
    trainOnNumbers();
    for (String commandAndReader : List.of("predict runs/numbers-1 many.csv --quiet | head -n 1 >line",
        "predict runs/numbers-1 - --quiet <many.csv | true", "evaluate runs/numbers-1 numbers.csv --quiet | true", "study --quiet | true",
        "train --help | head -n 1 >line")) {
      Ran ran = run(Map.of(), "bash", "-c", "\"$0\" " + commandAndReader + "; echo ${PIPESTATUS[0]}", LAUNCHER.toString());
      assertEquals(new Ran(0, "0\n", ""), ran, commandAndReader);
    }
    assertEquals("usage: plumb train DATA [options]", Files.readString(folder.resolve("line")).strip());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void fullDiskIsReported() throws Exception {
    trainOnNumbers();
    for (String command : List.of("predict runs/numbers-1 many.csv", "study")) {
      Ran ran = run(Map.of(), "bash", "-c", "\"$0\" " + command + " --quiet >/dev/full", LAUNCHER.toString());
      assertEquals(new Ran(2, "", "plumb " + command.split(" ")[0] + ": standard output cannot be written; the output is incomplete\n"),
          ran);
    }
  }

  /** Makes runs/numbers-1, and many.csv with more predictions than a pipe holds. */
  private void trainOnNumbers() throws Exception {
    Ran trained = run(Map.of(), "bash", "-c", """
        { echo a,b,y; for i in $(seq 60); do echo $i,$((i % 7)),$((i * 3)); done; } >numbers.csv
        { echo a,b; for i in $(seq 100000); do echo $i,$((i % 7)); done; } >many.csv
        exec "$0" train numbers.csv --epochs 1 --quiet --device cpu""", LAUNCHER.toString());
    assertEquals(0, trained.code(), trained.err());
  }

  @Test
  void javaThatIsTooOldIsSkipped() throws Exception {
    Path old = Files.createDirectories(folder.resolve("old/bin"));
    Path java = Files.writeString(old.resolve("java"), "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n");
    assertTrue(java.toFile().setExecutable(true));
    Ran ran = run(Map.of("JAVA_HOME", old.getParent().toString()), LAUNCHER.toString(), "--version");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().startsWith("plumb "), ran.out());
    assertEquals("plumb: JAVA_HOME (" + old.getParent() + ") is no Java of 17 or newer; looking for another\n", ran.err());
  }

  /** A C locale is usual in containers, cron jobs and services. The shell writes the bytes, independent of the test's locale. */
  @Test
  void filesAndColumnsHaveTheirNamesInACLocale() throws Exception {
    for (String locale : List.of("C", "no_SUCH.UTF-8")) {
      Ran ran = run(Map.of("LC_ALL", locale), "bash", "-c", """
          name=$(printf 'gr\\303\\266\\303\\237e'); printf "a,$name\\n1,2\\n3,4\\n5,7\\n" > $name.csv
          "$0" train $name.csv --target $name --runs r$name --epochs 1 --quiet --device reference &&
          "$0" predict r$name/$name-1 $name.csv --out p$name.csv --quiet && head -n 1 p$name.csv""", LAUNCHER.toString());
      assertEquals(0, ran.code(), ran.err());
      assertTrue(ran.out().endsWith("\nrun: rgröße/größe-1\ngröße\n"), ran.out());
      run(Map.of(), "bash", "-c", "rm -r *gr*");
    }
  }

  /** A class whose name sets the title of the terminal's window: files and pipes get it as it is, to be joined with the table. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void terminalGetsNoControlCharactersFromATable() throws Exception {
    Ran trained = run(Map.of(), "bash", "-c", """
        printf 'a,y\\n1,x\\033]0;T\\007x\\n2,=1+1\\n3,=1+1\\n4,=1+1\\n' > t.csv
        exec "$0" train t.csv --epochs 1 --quiet --device reference""", LAUNCHER.toString());
    assertEquals(0, trained.code(), trained.err());
    String predict = " predict runs/t-1 t.csv --quiet --device reference";
    String names = "probability_=1+1,probability_x\u001b]0;T\u0007x";
    Ran piped = run(Map.of(), "bash", "-c", "\"$0\"" + predict, LAUNCHER.toString());
    assertEquals("y," + names, piped.out().lines().findFirst().orElseThrow());
    String java = Path.of(System.getProperty("java.home"), "bin", "java") + " -jar " + JAR;
    for (String command : List.of(LAUNCHER + predict, java + predict, LAUNCHER + predict + " --out /dev/stdout")) {
      Ran shown = run(Map.of(), "script", "-qec", command, "/dev/null");
      assertEquals(0, shown.code(), shown.out());
      assertEquals("y," + names.replace('\u001b', '?').replace('\u0007', '?'), shown.out().lines().findFirst().orElseThrow(),
          command);
      assertEquals(piped.out().lines().count(), shown.out().lines().count());
    }
  }

  @Test
  void localeWithAnotherEncodingStays() throws Exception {
    Path locale = Files.writeString(Files.createDirectory(folder.resolve("bin")).resolve("locale"),
        "#!/bin/sh\necho ISO-8859-1\n");
    assertTrue(locale.toFile().setExecutable(true));
    String path = locale.getParent() + ":" + System.getenv("PATH");
    String[] command = {LAUNCHER.toString(), "--version"};
    Map<String, String> environment = Map.of("LC_ALL", "C", "PLUMB_JAVA_OPTS", "-XshowSettings:properties");
    assertTrue(run(environment, command).err().contains("sun.jnu.encoding = UTF-8\n"));
    Map<String, String> chosen = new TreeMap<>(environment);
    chosen.put("PATH", path);
    assertFalse(run(chosen, command).err().contains("sun.jnu.encoding = UTF-8\n"));
  }

  @Test
  void cdpathOfTheShellIsIgnored() throws Exception {
    Ran ran = run(Map.of("CDPATH", "."), LAUNCHER.toString(), "--version");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
  }

  @Test
  void javaIsStartedWithTheVectorApiWhereItPaysOrIsAskedFor() throws Exception {
    String warning = "WARNING: Using incubator modules: jdk.incubator.vector\n";
    String[] seeds = {LAUNCHER.toString(), "study", "none.json", "--seeds", "3"};
    assertTrue(run(Map.of(), seeds).err().startsWith(warning));
    assertFalse(run(Map.of("PLUMB_VECTOR", "no"), seeds).err().contains(warning));
    assertEquals("", run(Map.of(), LAUNCHER.toString(), "--version").err());
    assertEquals(warning, run(Map.of("PLUMB_VECTOR", "yes"), LAUNCHER.toString(), "--version").err());
  }

  @Test
  void framePointerIsKeptWithTheVectorApiUnlessAskedOtherwise() throws Exception {
    String[] flags = {LAUNCHER.toString(), "--version"};
    Pattern kept = Pattern.compile("bool PreserveFramePointer += true ");
    Ran with = run(Map.of("PLUMB_VECTOR", "yes", "PLUMB_JAVA_OPTS", "-XX:+PrintFlagsFinal"), flags);
    assertTrue(kept.matcher(with.out()).find(), with.out());
    String otherwise = "-XX:+PrintFlagsFinal -XX:-PreserveFramePointer";
    assertFalse(kept.matcher(run(Map.of("PLUMB_VECTOR", "yes", "PLUMB_JAVA_OPTS", otherwise), flags).out()).find());
  }

  @Test
  void loopsOfAStudyAreCompiledOnce() throws Exception {
    Map<String, String> printsFlags = Map.of("PLUMB_JAVA_OPTS", "-XX:+PrintFlagsFinal");
    assertEquals(List.of("Tier4BackEdgeThreshold=10000000", "Tier4MinInvocationThreshold=100", "Tier4InvocationThreshold=200000",
            "Tier4CompileThreshold=600000", "FreqInlineSize=150"),
        compilation(run(printsFlags, LAUNCHER.toString(), "study", "none.json")));
    List<String> asJavaHasIt = compilation(run(printsFlags, LAUNCHER.toString(), "--version"));
    assertEquals(5, asJavaHasIt.size());
    assertEquals(asJavaHasIt, compilation(run(printsFlags, LAUNCHER.toString(), "study", "none.json", "--seeds", "3")));
  }

  @Test
  void tablesAreHeldInASmallHeapUnlessAskedOtherwise() throws Exception {
    Pattern serial = Pattern.compile("bool UseSerialGC += true ");
    for (String command : List.of("train", "evaluate", "predict", "importance", "cv")) {
      String out = run(Map.of("PLUMB_JAVA_OPTS", "-XX:+PrintFlagsFinal -Xmx64m"), LAUNCHER.toString(), command, "--help").out();
      assertTrue(serial.matcher(out).find() && out.contains("usage: plumb " + command), out);
    }
    String other = run(Map.of("PLUMB_JAVA_OPTS", "-XX:+PrintFlagsFinal -XX:+UseParallelGC"), LAUNCHER.toString(), "train", "--help").out();
    assertFalse(serial.matcher(other).find());
    assertTrue(other.contains("usage: plumb train"), other);
  }

  private static List<String> compilation(Ran ran) {
    return Stream.of("Tier4BackEdgeThreshold", "Tier4MinInvocationThreshold", "Tier4InvocationThreshold", "Tier4CompileThreshold",
            "FreqInlineSize")
        .flatMap(flag -> ran.out().lines().filter(line -> line.matches(" *\\w+ " + flag + " .*")))
        .map(line -> line.replaceAll("^ *\\w+ |\\{.*| ", ""))
        .toList();
  }

  @Test
  void resultOnStandardOutputFollowsTheTable() throws Exception {
    Path spec = Files.writeString(folder.resolve("spec.json"),
        "{\"epochs\": 1, \"data\": {\"samples\": 4}, \"networks\": [{\"layers\": [3,1], \"activation\": \"tanh\"}]}");
    Path log = Files.writeString(folder.resolve("log"), "before\n");
    Ran ran = run(Map.of(), "bash", "-c", "\"$0\" study \"$1\" --json /dev/stdout >> \"$2\"",
        LAUNCHER.toString(), spec.toString(), log.toString());
    assertEquals(0, ran.code(), ran.err());
    String text = Files.readString(log);
    assertTrue(text.startsWith("before\ndevice: "), text);
    assertTrue(text.indexOf("final loss") < text.indexOf("\"finalLoss\""), text);
    assertTrue(text.endsWith("}\n"), text);
  }

  private Ran run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
    return Ran.of(folder, environment, command);
  }
}
