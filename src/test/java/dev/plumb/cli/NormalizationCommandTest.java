package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.model.Normalization;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Normalization and residual connections, from the options to the files. */
class NormalizationCommandTest {
  private static final Path WINE = Path.of("src/test/resources/tables/wine.csv");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"batch", "layer"})
  void normalizedNetworkIsTrainedResumedScoredPredictedAndExported(String normalization) throws IOException {
    Plumbed trained = run("train", WINE.toString(), "--layers", "13,8,8", "--normalization", normalization, "--residual", "--epochs",
        "20", "--validation", "0.2", "--device", "reference", "--runs", folder.toString(), "--name", "wine", "--quiet");
    assertTrue(trained.out().contains("network: 13-13-8-8-3 relu, " + normalization + " normalization, residual, loss cross_entropy,"),
        trained.out());
    Path whole = folder.resolve("wine-1");
    TrainedModel model = ModelFile.read(whole.resolve("model.safetensors"));
    assertEquals(Normalization.of(normalization), model.network().normalization());
    assertTrue(model.network().residual());
    Path stopped = StoppedRun.make(whole, folder.resolve("stopped"));
    run("train", "--resume", stopped.toString(), "--quiet");
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")), Files.readAllBytes(stopped.resolve("model.safetensors")));

    JsonNode result = JSON.readTree(whole.resolve("manifest.json").toFile()).get("result");
    assertTrue(result.get("validationAccuracy").doubleValue() > 0.9, result.toString());
    Path scores = folder.resolve("scores.json");
    run("evaluate", whole.toString(), WINE.toString(), "--device", "reference", "--json", scores.toString());
    double accuracy = JSON.readTree(scores.toFile()).findValue("accuracy").doubleValue();
    String predicted = run("predict", whole.toString(), WINE.toString(), "--device", "reference").out();
    List<String> labels = predicted.lines().skip(1).map(line -> line.split(",")[0]).toList();
    List<String> truth = Files.readAllLines(WINE).stream().skip(1).map(line -> line.substring(line.lastIndexOf(',') + 1)).toList();
    assertEquals(truth.size(), labels.size());
    long correct = 0;
    for (int row = 0; row < labels.size(); row++) {
      correct += labels.get(row).equals(truth.get(row)) ? 1 : 0;
    }
    assertEquals(accuracy, correct / (double) labels.size(), 1e-12);
    for (String name : List.of("wine.onnx", "wine.npz", "wine.safetensors")) {
      run("export", whole.toString(), folder.resolve(name).toString());
      assertTrue(Files.size(folder.resolve(name)) > 0);
    }
    assertArrayEquals(model.parameters(), ModelFile.read(folder.resolve("wine.safetensors")).parameters());
  }

  @Test
  void optionsOverrideTheConfigurationFile() throws IOException {
    Path config = Files.writeString(folder.resolve("config.json"), "{\"normalization\": \"batch\", \"residual\": true}");
    JsonNode read = printed("--config", config.toString());
    assertEquals("batch", read.get("normalization").textValue());
    assertTrue(read.get("residual").booleanValue());
    JsonNode changed = printed("--config", config.toString(), "--normalization", "none", "--no-residual");
    assertEquals("none", changed.get("normalization").textValue());
    assertFalse(changed.get("residual").booleanValue());
    assertTrue(printed("--residual").get("residual").booleanValue());
    assertFalse(printed().get("residual").booleanValue());
  }

  private JsonNode printed(String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of("train", WINE.toString(), "--print-config"));
    command.addAll(List.of(options));
    return JSON.readTree(run(command.toArray(String[]::new)).out());
  }

  @Test
  void foldsAreTrainedWithBatchNormalization() throws IOException {
    Path json = folder.resolve("cv.json");
    run("cv", WINE.toString(), "--normalization", "batch", "--residual", "--layers", "13", "--folds", "3", "--epochs", "60", "--device",
        "reference", "--quiet", "--json", json.toString());
    assertTrue(JSON.readTree(json.toFile()).findValue("accuracy").findValue("mean").doubleValue() > 0.9);
  }

  @Test
  void cellsOfATableStudyTrainAsTheirCommandsDo() throws IOException {
    // 33 training rows: the default batch size, 32, would leave one for the last batch.
    Path table = Files.write(folder.resolve("table.csv"), Files.readAllLines(WINE).subList(0, 34));
    Path spec = Files.writeString(folder.resolve("spec.json"), """
        { "data": {"source": "table", "file": "%s"}, "epochs": 3, "validation": 0, "layers": [4],
          "networks": [ {"normalization": "layer"}, {"residual": true, "layers": [13]} ],
          "grid": {"depth": [1], "width": [13], "normalization": ["none", "batch"], "residual": [false, true]} }"""
        .formatted(table.toString().replace("\\", "/")));
    Path json = folder.resolve("study.json");
    Path csv = folder.resolve("study.csv");
    Path log = folder.resolve("study.runs");
    Plumbed ran = run("study", spec.toString(), "--device", "reference", "--quiet", "--json", json.toString(), "--csv", csv.toString(),
        "--log", log.toString(), "--report", folder.resolve("study.html").toString());
    List<JsonNode> cells = StreamSupport.stream(JSON.readTree(json.toFile()).get("runs").spliterator(), false).toList();
    assertEquals(List.of("13-4-1 relu, layer normalization", "13-13-1 relu, residual", "13-13-1 relu", "13-13-1 relu residual",
        "13-13-1 relu batch", "13-13-1 relu batch residual"), cells.stream().map(cell -> cell.get("name").textValue()).toList());
    assertEquals("layer", cells.get(0).get("normalization").textValue());
    assertFalse(cells.get(0).has("residual"));
    assertFalse(cells.get(2).has("normalization"));
    assertTrue(cells.get(5).get("residual").booleanValue());
    assertTrue(ran.out().contains("relu, batch normalization, residual"), ran.out());
    List<String> lines = Files.readAllLines(csv);
    assertTrue(lines.get(0).startsWith("cell,layers,activation,normalization,residual,initializer,"), lines.get(0));
    assertTrue(lines.get(6).startsWith("\"13-13-1 relu batch residual\",13-13-1,relu,batch,true,pytorch,"), lines.get(6));
    for (int cell : new int[] {0, 2, 5}) {
      String command = cells.get(cell).get("command").textValue();
      String config = command.substring(command.indexOf(" --config '") + " --config '".length(), command.length() - 1);
      assertEquals(33, JSON.readTree(config).get("batchSize").intValue());
      run("train", table.toString(), "--config", config, "--device", "reference", "--quiet", "--runs", folder.toString(), "--name",
          "cell" + cell);
      JsonNode alone = JSON.readTree(folder.resolve("cell" + cell + "-1/manifest.json").toFile()).get("result");
      assertEquals(alone.get("trainingLoss"), cells.get(cell).get("scores").get("loss"), command);
    }
    List<String> logged = Files.readAllLines(log);
    Files.write(log, logged.subList(0, 2));
    run("study", "--resume", log.toString(), "--device", "reference", "--quiet");
    assertEquals(logged.size(), Files.readAllLines(log).size());
  }

  private static Plumbed run(String... arguments) {
    Plumbed ran = Plumbed.run(arguments);
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }
}
