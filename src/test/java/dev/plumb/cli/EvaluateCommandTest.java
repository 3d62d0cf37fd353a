package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Task;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");
  private static final Map<Metric, String> JSON_KEYS = Map.of(Metric.LOSS, "loss", Metric.ACCURACY, "accuracy",
      Metric.BALANCED_ACCURACY, "balancedAccuracy", Metric.MACRO_F1, "macroF1", Metric.LOG_LOSS, "logLoss",
      Metric.ROC_AUC, "rocAuc", Metric.PR_AUC, "prAuc", Metric.MATTHEWS, "matthews");

  @TempDir Path folder;

  @Test
  void metricsOfClassesArePrintedAndWritten() throws IOException {
    Path run = train("wine.csv");
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = evaluate(run, TABLES.resolve("wine.csv"), json);
    Model model = Plumb.load(run.resolve("model.safetensors"));
    ClassificationScores scores = (ClassificationScores) model.score(model.read(TABLES.resolve("wine.csv")));
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    JSON_KEYS.forEach((metric, key) -> {
      assertEquals(scores.value(metric), written.get(key).doubleValue(), key);
      assertEquals(Decimal.fixed(scores.value(metric), 6), printed(evaluated).get(metric.label()), key);
    });
    assertEquals(JSON_KEYS.size(), printed(evaluated).size(), evaluated.out());
    // Cross-entropy, computed here in another precision and without limits of the probabilities.
    assertEquals(scores.loss(), scores.logLoss(), 1e-5);
    assertTrue(scores.rocAuc() > 0.9 && scores.rocAuc() <= 1 && scores.prAuc() > 0.8 && scores.matthews() > 0.5, evaluated.out());
  }

  @Test
  void undefinedMetricIsADashAndNull() throws IOException {
    Path run = train("wine.csv");
    List<String> lines = Files.readAllLines(TABLES.resolve("wine.csv"));
    Path data = Files.write(folder.resolve("some.csv"), lines.subList(0, 100));
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = evaluate(run, data, json);
    assertEquals("-", printed(evaluated).get("ROC AUC"));
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(0, written.get("classes").get(2).get("rows").intValue());
    assertTrue(written.get("rocAuc").isNull(), written.toString());
    assertTrue(written.get("prAuc").isNumber(), written.toString());
  }

  private Path train(String table) {
    Plumbed trained = Plumbed.run("train", TABLES.resolve(table).toString(), "--runs", folder.toString(), "--epochs", "15",
        "--device", "cpu", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    return folder.resolve(table.replace(".csv", "-1"));
  }

  private static Plumbed evaluate(Path run, Path data, Path json) {
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), data.toString(), "--device", "cpu", "--json", json.toString());
    assertEquals(0, evaluated.code(), evaluated.err());
    return evaluated;
  }

  /** Returns the printed metrics by their labels. */
  private static Map<String, String> printed(Plumbed evaluated) {
    List<String> labels = List.of(Metric.values()).stream().filter(metric -> metric.appliesTo(Task.CLASSIFICATION))
        .map(Metric::label).toList();
    return evaluated.out().lines().map(line -> line.split(" {2,}"))
        .filter(cells -> cells.length == 3 && labels.contains(cells[0]))
        .collect(Collectors.toMap(cells -> cells[0], cells -> cells[1]));
  }
}
