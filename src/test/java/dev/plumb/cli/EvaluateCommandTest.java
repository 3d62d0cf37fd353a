package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Task;
import dev.plumb.train.ClassJudgment;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.Figure;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.Thresholds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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

  @Test
  void figuresOfProbabilitiesArePrintedAndWritten() throws IOException {
    Path run = train("wine.csv");
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = evaluate(run, TABLES.resolve("wine.csv"), json);
    Model model = Plumb.load(run.resolve("model.safetensors"));
    ClassJudgment judgment = ((ClassificationScores) model.score(model.read(TABLES.resolve("wine.csv")))).judgment();
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(List.of("Brier score", "expected calibration error", "top-2 accuracy"),
        judgment.figures().stream().map(Figure::label).toList());
    judgment.figures().forEach(figure ->
        assertTrue(evaluated.out().lines().anyMatch(line -> line.startsWith(figure.label() + " ")
            && line.contains(" " + Decimal.fixed(figure.value(), 6) + " ")), evaluated.out()));
    assertEquals(judgment.brier(), written.get("brier").doubleValue());
    assertEquals(judgment.reliability().expectedCalibrationError(), written.get("expectedCalibrationError").doubleValue());
    assertEquals(judgment.topK().get(2), written.get("topK").get("2").doubleValue());
    assertEquals(3, written.get("curves").size());
    assertEquals(judgment.curves().get(2).rocAuc(), written.get("curves").get(2).get("rocAuc").doubleValue());
    assertEquals(1, written.get("curves").get(2).get("recall").get(written.get("curves").get(2).get("recall").size() - 1).intValue());
    assertEquals(10, written.get("reliability").size());
    assertFalse(written.has("threshold") || written.has("thresholds"));
    assertFalse(evaluated.out().contains("threshold"), evaluated.out());
  }

  @Test
  void thresholdDecidesBetweenTwoClasses() throws IOException {
    Path run = train("breast_cancer.csv");
    Path data = TABLES.resolve("breast_cancer.csv");
    Path json = folder.resolve("scores.json");
    Path report = folder.resolve("scores.html");
    Plumbed evaluated = evaluate(run, data, json, "--threshold", "0.25", "--report", report.toString());
    Model model = Plumb.load(run.resolve("model.safetensors"));
    Predictions predictions = model.predict(model.read(data));
    long expected = IntStream.range(0, predictions.rows()).filter(row -> predictions.probability(row, 1) >= 0.25).count();
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(0.25, written.get("threshold").doubleValue());
    assertEquals(10, written.get("thresholds").size());
    JsonNode row = written.get("thresholds").get(2);
    JsonNode malignant = written.get("classes").get(1);
    assertEquals(0.25, row.get("threshold").doubleValue());
    assertEquals(expected, row.get("predictedRows").longValue());
    assertEquals(expected, written.get("classes").get(0).get("takenFor").get(1).longValue() + malignant.get("takenFor").get(1).longValue());
    for (String key : List.of("precision", "recall", "f1")) {
      assertEquals(row.get(key).doubleValue(), malignant.get(key).doubleValue(), 1e-15, key);
    }
    assertTrue(evaluated.out().contains("threshold: 0.25; a row is predicted as \"malignant\" if the probability of \"malignant\" is at"
        + " least this\n"), evaluated.out());
    assertEquals(1, evaluated.out().lines().filter(line -> line.startsWith("   0.2500") && line.endsWith("  used")).count());
    String page = Files.readString(report);
    for (String part : List.of("id=\"roc\"", "id=\"precision-recall\"", "id=\"reliability\"", "id=\"thresholds\"",
        "id=\"confusion\"", "Threshold: 0.25;")) {
      assertTrue(page.contains(part), part);
    }
  }

  @Test
  void chosenThresholdIsTheBestOfTheseRows() throws IOException {
    Path run = train("breast_cancer.csv");
    Path data = TABLES.resolve("breast_cancer.csv");
    Model model = Plumb.load(run.resolve("model.safetensors"));
    Thresholds thresholds = ((ClassificationScores) model.score(model.read(data))).judgment().thresholds().orElseThrow();
    for (Thresholds.Criterion criterion : Thresholds.Criterion.values()) {
      Path json = folder.resolve("scores.json");
      Plumbed evaluated = evaluate(run, data, json, "--choose-threshold", criterion.key());
      JsonNode written = new ObjectMapper().readTree(json.toFile());
      assertEquals(thresholds.best(criterion).orElseThrow(), written.get("threshold").doubleValue());
      assertEquals(criterion.key(), written.get("thresholdChosenBy").textValue());
      assertTrue(evaluated.out().contains("chosen on these rows for the highest " + criterion.label()), evaluated.out());
    }
  }

  @Test
  void rowsOfOneClassAreEvaluated() throws IOException {
    Path run = train("breast_cancer.csv");
    Path data = Files.write(folder.resolve("benign.csv"), Files.readAllLines(TABLES.resolve("breast_cancer.csv")).stream()
        .filter(line -> !line.contains("malignant")).limit(30).toList());
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = evaluate(run, data, json, "--threshold", "0.5", "--report", folder.resolve("one.html").toString());
    assertEquals("-", printed(evaluated).get("ROC AUC"));
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertTrue(written.get("thresholds").get(0).get("recall").isNull(), written.toString());
    assertTrue(written.get("curves").get(0).get("rocAuc").isNull(), written.toString());
    Plumbed refused = Plumbed.run("evaluate", run.toString(), data.toString(), "--device", "cpu", "--choose-threshold", "f1");
    assertEquals(2, refused.code());
    assertEquals("plumb evaluate: " + data + ": all rows belong to class \"benign\"; --choose-threshold needs rows of both classes;"
        + " use --threshold\n", refused.err());
  }

  @Test
  void residualsOfNumbersAreWritten() throws IOException {
    Path run = train("diabetes.csv");
    Path json = folder.resolve("scores.json");
    Path report = folder.resolve("scores.html");
    evaluate(run, TABLES.resolve("diabetes.csv"), json, "--report", report.toString());
    JsonNode residuals = new ObjectMapper().readTree(json.toFile()).get("targets").get(0).get("residuals");
    assertEquals(10, residuals.size());
    assertEquals(442, IntStream.range(0, 10).map(i -> residuals.get(i).get("rows").intValue()).sum());
    assertEquals(5, residuals.get(0).get("quantiles").size());
    assertTrue(Files.readString(report).contains("id=\"residuals-0\""));
  }

  private Path train(String table) {
    Plumbed trained = Plumbed.run("train", TABLES.resolve(table).toString(), "--runs", folder.toString(), "--epochs", "15",
        "--device", "cpu", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    return folder.resolve(table.replace(".csv", "-1"));
  }

  private static Plumbed evaluate(Path run, Path data, Path json, String... options) {
    List<String> words = new ArrayList<>(
        List.of("evaluate", run.toString(), data.toString(), "--device", "cpu", "--json", json.toString()));
    words.addAll(List.of(options));
    Plumbed evaluated = Plumbed.run(words.toArray(String[]::new));
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
