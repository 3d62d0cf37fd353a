package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb runs} and {@code plumb compare} on trainings of small tables. */
class CompareCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");

  @TempDir private static Path runs;
  @TempDir Path folder;

  @BeforeAll
  static void train() {
    train("iris.csv", "iris", "--validation", "0.2");
    train("iris.csv", "iris", "--validation", "0.2", "--lr", "0.01", "--layers", "5", "--test",
        TABLES.resolve("iris.csv").toString());
    train("iris.csv", "iris", "--validation", "0.2", "--seed", "7");
    train("diabetes.csv", "diabetes", "--validation", "0.2");
  }

  private static void train(String table, String name, String... options) {
    List<String> arguments = new ArrayList<>(List.of("train", TABLES.resolve(table).toString(), "--runs", runs.toString(), "--name",
        name, "--device", "reference", "--epochs", "6", "--quiet"));
    if (!Arrays.asList(options).contains("--layers")) {
      arguments.addAll(List.of("--layers", "4"));
    }
    arguments.addAll(List.of(options));
    Plumbed trained = Plumbed.run(arguments.toArray(String[]::new));
    assertEquals(0, trained.code(), trained.err());
  }

  private static String run(String name) {
    return runs.resolve(name).toString();
  }

  private static Plumbed plumb(String... arguments) {
    Plumbed ran = Plumbed.run(arguments);
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }

  private static List<String> rows(String out, String name) {
    return out.lines().filter(line -> line.startsWith(name + " ")).map(line -> line.replaceAll(" {2,}", "|")).toList();
  }

  @Test
  void scoresAreThoseOfTheTraining() throws IOException {
    Path json = folder.resolve("c.json");
    Plumbed compared = plumb("compare", run("iris-1"), run("iris-2"), "--json", json.toString());
    assertEquals("", compared.err());
    assertFalse(compared.out().contains("warning"), compared.out());
    assertEquals(List.of("learningRate|0.003|0.01"), rows(compared.out(), "learningRate"));
    assertEquals(List.of("layers|4|5"), rows(compared.out(), "layers"));
    assertEquals(List.of(), rows(compared.out(), "activation"));
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    for (int i = 1; i <= 2; i++) {
      JsonNode manifest = new ObjectMapper().readTree(runs.resolve("iris-" + i + "/manifest.json").toFile()).get("result");
      JsonNode score = written.get("runs").get(i - 1).get("scores").get(0);
      assertEquals(manifest.get("validationAccuracy"), score.get("accuracy"));
      assertEquals(manifest.get("validationLoss"), score.get("loss"));
      assertEquals(manifest.get("validationBaselineAccuracy"), score.get("baseline"));
      assertEquals(manifest.get("parameters"), written.get("runs").get(i - 1).get("parameters"));
      assertEquals(i == 1 ? 4 * 4 + 4 + 4 * 3 + 3 : 4 * 5 + 5 + 5 * 3 + 3, manifest.get("parameters").asInt());
      String row = rows(compared.out(), "iris-" + i).get(0);
      assertTrue(row.startsWith("iris-" + i + "|finished|" + manifest.get("bestEpoch").asInt() + " of 6|validation|"
          + Decimal.fixed(score.get("loss").asDouble(), 4) + "|" + Decimal.fixed(score.get("accuracy").asDouble(), 4) + "|"
          + Decimal.fixed(score.get("low").asDouble(), 4) + " to " + Decimal.fixed(score.get("high").asDouble(), 4) + "|"), row);
      assertTrue(row.endsWith(" s|reference (1 thread)") || row.contains("|reference ("), row);
    }
    assertTrue(compared.out().lines().anyMatch(line -> line.matches(" +test +[\\d.]+ +[\\d.]+ +[\\d.]+ to [\\d.]+ +0\\.3333")),
        compared.out());
  }

  @Test
  void incomparableScoresAreWarnedOf() {
    Plumbed compared = plumb("compare", run("iris-1"), run("iris-3"));
    assertTrue(compared.out().startsWith("warning: the runs have different validation rows; their scores are not comparable; train"
        + " with the same --validation and --split-seed\n\nconfiguration  iris-1  iris-3\nseed           42      7\n\n"),
        compared.out());
  }

  @Test
  void manyRunsAreTheRowsOfTheTableOfDifferences() throws IOException {
    List<String> arguments = new ArrayList<>(List.of("compare"));
    for (String name : List.of("a", "b", "c", "d", "e", "f")) {
      arguments.add(copy(runs.resolve(name.equals("f") ? "iris-2" : "iris-1"), folder.resolve(name)).toString());
    }
    Plumbed compared = plumb(arguments.toArray(String[]::new));
    assertTrue(compared.out().lines().anyMatch(line -> line.matches("run +test +test SHA-256 +layers +learningRate")),
        compared.out());
    assertEquals(2, rows(compared.out(), "a").size(), compared.out());
  }

  @Test
  void copyHasTheSameConfiguration() throws IOException {
    Path copy = copy(runs.resolve("iris-1"), folder.resolve("copy"));
    assertTrue(plumb("compare", run("iris-1"), copy.toString()).out().startsWith("configuration: no differences\n\nrun "));
  }

  @Test
  void reportIsWritten() throws IOException {
    Path report = folder.resolve("c.html");
    plumb("compare", run("iris-1"), run("iris-2"), "--report", report.toString());
    String page = Files.readString(report);
    assertTrue(page.contains("<h1>Comparison of 2 runs</h1>") && page.contains("<td>0.01</td>"), page.substring(0, 500));
  }

  @Test
  void runsOfDifferentTasksAreRefused() {
    Plumbed compared = Plumbed.run("compare", run("iris-1"), run("diabetes-1"), "--report", folder.resolve("r.html").toString());
    assertEquals(2, compared.code());
    assertEquals("", compared.out());
    assertEquals("plumb compare: " + run("diabetes-1") + ": the run predicts numbers, but " + run("iris-1")
        + " classes; compare runs of the same task\n", compared.err());
    assertFalse(Files.exists(folder.resolve("r.html")));
  }

  @Test
  void runsAreListed() throws IOException {
    Path all = folder.resolve("all");
    copy(runs.resolve("iris-1"), all.resolve("iris-1"));
    copy(runs.resolve("diabetes-1"), all.resolve("diabetes-1"));
    Path damaged = copy(runs.resolve("iris-2"), all.resolve("iris-2"));
    Files.writeString(damaged.resolve("metrics.csv"), "x\n");
    Path begun = copy(runs.resolve("iris-3"), all.resolve("iris-3"));
    Path manifest = begun.resolve("manifest.json");
    Files.writeString(manifest, Files.readString(manifest).replaceFirst("\"state\": \"epochs\"", "\"state\": \"stopped\""));
    Files.createDirectory(all.resolve("pictures"));
    Path json = folder.resolve("runs.json");
    List<String> before = FolderContents.of(all);
    Plumbed listed = plumb("runs", all.toString(), "--sort", "name", "--json", json.toString());
    assertEquals(before, FolderContents.of(all), "nothing is written");
    assertEquals(List.of("run", "diabetes-1", "iris-1", "iris-2", "iris-3"),
        listed.out().lines().map(line -> line.split(" ")[0]).toList());
    assertTrue(rows(listed.out(), "iris-1").get(0).matches("iris-1\\|[\\d-]+ [\\d:]+\\|iris.csv\\|classification\\|4-4-3 relu"
        + "\\|6/6\\|finished\\|accuracy\\|[\\d.]+\\|[\\d.]+ to [\\d.]+\\|validation\\|[\\d.]+ s"), listed.out());
    assertTrue(rows(listed.out(), "diabetes-1").get(0).matches(".*\\|regression\\|10-4-1 relu\\|6/6\\|finished\\|R²\\|[-\\d.]+\\|-"
        + "\\|validation\\|.*"),
        listed.out());
    assertEquals(List.of("iris-2|-|-|-|-|-|damaged|-|-|-|-|-"), rows(listed.out(), "iris-2"));
    assertTrue(rows(listed.out(), "iris-3").get(0).contains("|6/6|interrupted|"), listed.out());
    assertEquals("note: iris-2 is damaged: " + damaged.resolve("metrics.csv") + ": line 1: is not the header of a run's metrics,"
        + " epoch,train_loss,validation_loss,...\n", listed.err());
    assertEquals("", plumb("runs", all.toString(), "--quiet").err());
    JsonNode written = new ObjectMapper().readTree(json.toFile()).get("runs");
    assertEquals(4, written.size());
    assertEquals("damaged", written.get(2).get("status").asText());
    assertEquals("interrupted", written.get(3).get("status").asText());
  }

  @Test
  void folderWithoutRunsIsOneLine() {
    Path json = folder.resolve("runs.json");
    assertEquals("no runs in " + folder + "; plumb train creates a run folder for each training\n",
        plumb("runs", folder.toString(), "--json", json.toString()).out());
    assertTrue(Files.exists(json));
  }

  private static Path copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }
}
