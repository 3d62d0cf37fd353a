package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A grid that is trained, killed, stopped by a signal and resumed. */
@DisabledOnOs(OS.WINDOWS)
class GridProcessTest {
  private static final String SPEC = """
      { "name": "two by two", "epochs": 300, "data": {"samples": 200}, "lossAtEpochs": [100],
        "grid": {"depth": [1, 4], "width": [6], "activation": ["relu", "tanh"], "learningRate": [0.01, 0.3], "seeds": 12} }""";

  @TempDir Path folder;
  private Path spec;
  private String whole;

  @BeforeEach
  void trainWithoutInterruption() throws IOException {
    spec = Files.writeString(folder.resolve("spec.json"), SPEC);
    Plumbed ran = Plumbed.run("study", spec.toString(), "--device", "reference", "--threads", "1");
    assertEquals(2, ran.code(), "the reference has no threads");
    ran = Plumbed.run("study", spec.toString(), "--device", "cpu", "--quiet", "--log", folder.resolve("whole.runs").toString(),
        "--csv", folder.resolve("whole.csv").toString(), "--json", folder.resolve("whole.json").toString(),
        "--report", folder.resolve("whole.html").toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    whole = results(ran.out());
  }

  @Test
  void tableAndFilesHaveAllCellsAndNetworks() throws IOException {
    assertTrue(whole.contains("3-6-1 relu 0.01 12 0.0 % "), whole);
    assertTrue(whole.contains("3-6-6-6-6-1 tanh 0.3 12 "), whole);
    List<String> csv = Files.readAllLines(folder.resolve("whole.csv"));
    assertEquals(1 + 96, csv.size());
    assertEquals("cell,layers,activation,initializer,learning_rate,seed,loss_at_100,final_loss,gradient_norm_first,gradient_norm_last,"
        + "diverged_at_epoch,seconds", csv.get(0));
    assertTrue(csv.get(1).startsWith("\"3-6-1 relu 0.01\",3-6-1,relu,notebook,0.01,42,"), csv.get(1));
    assertTrue(csv.get(96).startsWith("\"3-6-6-6-6-1 tanh 0.3\",3-6-6-6-6-1,tanh,notebook,0.3,53,"), csv.get(96));
    assertEquals(1 + 96, Files.readAllLines(folder.resolve("whole.runs")).size());
    assertEquals(96, Files.readString(folder.resolve("whole.json")).split("\"seed\":").length - 1);
    String page = Files.readString(folder.resolve("whole.html"));
    for (String id : List.of("cells-table", "losses-0", "depth-chart", "norms-7", "units-table", "class=\"band s0\"")) {
      assertTrue(page.contains(id), id);
    }
  }

  @Test
  void resumedAfterAKillPrintsTheSameTable() throws Exception {
    Path log = folder.resolve("killed.runs");
    Process process = start(List.of("study", spec.toString(), "--device", "cpu", "--log", log.toString()));
    PlumbProcess.await(() -> Files.exists(log) && Files.readAllLines(log).size() > 12);
    process.destroyForcibly().waitFor();
    long before = Files.size(log);
    Plumbed resumed = Plumbed.run("study", "--resume", log.toString(), "--threads", "3", "--device", "cpu");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(whole, results(resumed.out()));
    assertTrue(Files.size(log) >= before);
    assertEquals(1 + 96, Files.readAllLines(log).size(), "every network exactly once");
  }

  @Test
  void stopSignalKeepsFinishedNetworksAndPrintsHowToResume() throws Exception {
    Path log = folder.resolve("stopped.runs");
    Process process = start(List.of("study", spec.toString(), "--device", "reference", "--log", log.toString()));
    PlumbProcess.await(() -> Files.exists(log) && Files.readAllLines(log).size() > 4);
    PlumbProcess.signal(process, "INT");
    assertEquals(130, process.waitFor());
    String last = Files.readAllLines(folder.resolve("err")).stream().reduce("", (before, line) -> line);
    assertTrue(last.matches("plumb study: stopped; \\d+ of 96 networks finished; resume with: plumb study --resume " + log),
        last);
    int finished = Files.readAllLines(log).size() - 1;
    assertTrue(finished >= 4 && finished < 96, finished + " are finished");
  }

  @Test
  void studyIsResumedOnlyUnderItsOwnNumerics() throws IOException {
    Path log = folder.resolve("whole.runs");
    List<String> lines = Files.readAllLines(log);
    assertTrue(lines.get(0).matches(".*\"numerics\":\\{\"backend\":\"cpu\",\"java\":\"[^\"]+\",\"plumb\":\"[^\"]+\",\"precision\":\"fp64\","
        + "\"vectors\":\"[^\"]+\"}}"), lines.get(0));
    String partial = String.join("\n", lines.subList(0, 60)) + "\n";
    Path other = Files.writeString(folder.resolve("other.runs"), partial.replaceFirst("\"vectors\":\"[^\"]+\"",
        "\"vectors\":\"some\""));
    String before = Files.readString(other);
    Plumbed refused = Plumbed.run("study", "--resume", other.toString());
    assertEquals(2, refused.code());
    assertTrue(refused.err().matches("plumb study: .*other.runs: cannot be resumed here bit for bit: vectors was \"some\", now"
        + " \"[^\"]+\"; resume it in the original environment or add --allow-other-numerics\n"), refused.err());
    assertEquals("", refused.out());
    assertEquals(before, Files.readString(other));

    Plumbed allowed = Plumbed.run("study", "--resume", other.toString(), "--allow-other-numerics");
    assertEquals(0, allowed.code(), allowed.err());
    assertTrue(allowed.err().startsWith("note: " + other + " is resumed under other numerics (recorded); the result is not"
        + " bit-identical: vectors was \"some\""),
        allowed.err());
    List<String> resumed = Files.readAllLines(other);
    assertTrue(resumed.get(60).startsWith("{\"numerics\":{\"backend\":\"cpu\""), resumed.get(60));
    assertEquals(1 + 96 + 1, resumed.size());
    Plumbed again = Plumbed.run("study", "--resume", other.toString());
    assertEquals(0, again.code(), again.err());
    assertEquals("", again.err(), "nothing is left to train");

    Path same = Files.writeString(folder.resolve("same.runs"), partial);
    Plumbed quiet = Plumbed.run("study", "--resume", same.toString(), "--threads", "1");
    assertEquals(0, quiet.code(), quiet.err());
    assertTrue(quiet.err().lines().noneMatch(line -> line.startsWith("note:")), quiet.err());
    assertEquals(whole, results(quiet.out()));

    Path old = Files.writeString(folder.resolve("old.runs"), partial.replaceFirst(",\"numerics\":\\{[^}]*}", ""));
    Plumbed unknown = Plumbed.run("study", "--resume", old.toString());
    assertEquals(0, unknown.code(), unknown.err());
    assertTrue(unknown.err().startsWith("note: " + old + " was started by a version of Plumb that did not record its numerics;"
        + " the result may not be bit-identical\n"), unknown.err());
    assertTrue(Files.readAllLines(old).get(60).startsWith("{\"numerics\":"));
  }

  @Test
  void optionsThatAGridDoesNotAcceptAreRefused() {
    assertRefused("--seeds: cannot be changed when a study is resumed", "study", "--resume",
        folder.resolve("whole.runs").toString(), "--seeds", "3");
    assertRefused("this file exists", "study", spec.toString(), "--log", folder.resolve("whole.runs").toString(), "--device",
        "cpu");
    assertRefused("--check-every: not available for a grid", "study", spec.toString(), "--check-every", "3");
    assertRefused("--csv: applies only to a grid", "study", "--csv", folder.resolve("x.csv").toString());
    assertRefused("--csv " + folder.resolve("x") + " would overwrite the --json file", "study", spec.toString(), "--csv",
        folder.resolve("x").toString(), "--json", folder.resolve("x").toString());
  }

  private static void assertRefused(String message, String... arguments) {
    Plumbed ran = Plumbed.run(arguments);
    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains(message), ran.err());
  }

  /** Returns the table and the text below it, with single blanks. */
  private static String results(String out) {
    return out.lines().skip(4).map(line -> line.strip().replaceAll(" +", " ")).collect(Collectors.joining("\n"));
  }

  private Process start(List<String> arguments) throws IOException {
    return PlumbProcess.startWithSameNumerics(folder, arguments);
  }
}
