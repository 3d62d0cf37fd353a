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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb study} on a table. */
class TableStudyCommandTest {
  private static final Path WINE = Path.of("src/test/resources/tables/wine.csv");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void rowsNameCommandsThatTrainTheSameNetworks() throws IOException {
    Path spec = Files.writeString(folder.resolve("spec.json"), """
        { "name": "wines", "data": {"source": "table", "file": "nowhere.csv", "validation": 0.25}, "seed": 3, "epochs": 12,
          "dropout": 0.1, "networks": [ {"name": "small", "layers": [5]} ],
          "grid": {"depth": [1], "width": [6], "learningRate": [0.01, 0.02], "seeds": 2} }""");
    JsonNode study = study(spec.toString(), "--data", WINE.toString(), "--early-stopping", "3", "--watch", "auc", "--device", "cpu",
        "--csv", path("study.csv"), "--report", path("study.html"));
    assertEquals(6, study.get("networks").intValue());
    for (int trial : new int[] {0, 3, 5}) {
      JsonNode run = study.get("runs").get(trial);
      assertTrue(run.get("command").textValue().startsWith("plumb train src/test/resources/tables/wine.csv --config '{\"validation\":0.25"),
          run.get("command").textValue());
      JsonNode alone = alone(run, "--device", "cpu");
      JsonNode scores = run.get("scores");
      assertEquals("validation", run.get("judgedRows").textValue());
      assertEquals(alone.get("epochs"), scores.get("epochs"));
      assertEquals(alone.get("bestEpoch"), scores.get("best_epoch"));
      assertEquals(alone.get("trainingLoss"), scores.get("training_loss"));
      assertEquals(alone.get("validationLoss"), scores.get("loss"));
      assertEquals(alone.get("validationRocAuc"), scores.get("roc_auc"));
    }
    List<String> csv = Files.readAllLines(folder.resolve("study.csv"));
    assertEquals(1 + 6, csv.size());
    assertTrue(csv.get(0).startsWith("cell,layers,activation,initializer,learning_rate,seed,epochs,best_epoch,training_loss,loss,accuracy,"));
    assertTrue(csv.get(1).startsWith("\"small\",13-5-3,relu,pytorch,0.003,3,"), csv.get(1));
    String page = Files.readString(folder.resolve("study.html"));
    assertTrue(page.contains("validation ROC AUC") && page.contains("losses-0"));
  }

  @Test
  void tableAloneTrainsTheDefaultNetworkFromSeveralSeeds() throws IOException {
    JsonNode study = study("--data", WINE.toString(), "--layers", "4,3", "--epochs", "5", "--seeds", "3", "--device", "reference");
    assertEquals("fp64", study.get("precision").textValue());
    assertEquals(3, study.get("runs").size());
    assertEquals("[13,4,3,3]", study.get("runs").get(2).get("layers").toString());
    assertEquals(44, study.get("runs").get(2).get("seed").intValue());
    assertEquals("training", study.get("runs").get(2).get("judgedRows").textValue(), "18 rows are too few for validation");
    JsonNode alone = alone(study.get("runs").get(2), "--device", "reference");
    assertEquals(alone.get("trainingLoss"), study.get("runs").get(2).get("scores").get("loss"));
  }

  @Test
  void resumedStudyNeedsTheSameData() throws IOException {
    Path table = Files.copy(WINE, folder.resolve("wine.csv"));
    study("--data", table.toString(), "--epochs", "2", "--seeds", "4", "--device", "cpu");
    Path log = folder.resolve("study.runs");
    List<String> lines = Files.readAllLines(log);
    Files.write(log, lines.subList(0, 3));
    Plumbed resumed = Plumbed.run("study", "--resume", log.toString(), "--device", "cpu", "--quiet");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(1 + 4, Files.readAllLines(log).size());
    Files.write(log, lines.subList(0, 3));
    Files.writeString(table, Files.readString(table).replaceFirst("14", "15"));
    Plumbed changed = Plumbed.run("study", "--resume", log.toString(), "--device", "cpu", "--quiet");
    assertEquals(2, changed.code());
    assertTrue(changed.err().contains("wine.csv: the data has changed since the study started (its SHA-256 was "), changed.err());
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private JsonNode study(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("study", "--quiet", "--json", path("study.json"), "--log", path("study.runs")));
    command.addAll(Arrays.asList(arguments));
    Plumbed ran = Plumbed.run(command.toArray(String[]::new));
    assertEquals(0, ran.code(), ran.err());
    assertFalse(ran.out().isEmpty());
    return JSON.readTree(folder.resolve("study.json").toFile());
  }

  /** Runs the command of a trial, and returns the results of its manifest. */
  private JsonNode alone(JsonNode run, String... more) throws IOException {
    String command = run.get("command").textValue();
    int config = command.indexOf(" --config '");
    List<String> words = new ArrayList<>(Arrays.asList(command.substring("plumb ".length(), config).split(" ")));
    words.addAll(List.of("--config", command.substring(config + " --config '".length(), command.length() - 1), "--quiet",
        "--runs", path("runs"), "--name", "trial"));
    words.addAll(Arrays.asList(more));
    Plumbed ran = Plumbed.run(words.toArray(String[]::new));
    assertEquals(0, ran.code(), ran.err());
    String last = ran.out().strip().lines().reduce((before, line) -> line).orElseThrow();
    return JSON.readTree(Path.of(last.substring("run: ".length())).resolve("manifest.json").toFile()).get("result");
  }
}
