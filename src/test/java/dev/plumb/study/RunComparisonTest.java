package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.data.RowWeights;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.train.DataFile;
import dev.plumb.train.Metric;
import dev.plumb.train.RunFolders;
import dev.plumb.train.RunRecord;
import dev.plumb.train.TrainConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparison and list of made-up runs. */
class RunComparisonTest {
  private static final DataFile IRIS = RunFolders.data("data", "iris.csv", "a");

  @TempDir Path folder;
  private int written;

  @Test
  void onlyKeysThatDifferAreShown() throws IOException {
    Path first = classes(changes -> {});
    Path second = classes(changes -> changes.learningRate(0.5).hidden(3, 4).batchSize(OptionalInt.empty())
        .optimizer(OptimizerSpec.Sgd.DEFAULT));
    RunFolders.editManifest(first, text -> {
      String line = "    \"activation\": \"relu\",\n";
      text.replace(text.indexOf(line), text.indexOf(line) + line.length(), "");
    });
    Map<String, List<String>> differences = new TreeMap<>();
    RunComparison comparison = RunComparison.read(List.of(first, second));
    comparison.differences().forEach(of -> differences.put(of.key(), of.values()));
    assertEquals(List.of("100, 100", "3, 4"), differences.remove("layers"));
    assertEquals(List.of("0.003", "0.5"), differences.remove("learningRate"));
    assertEquals(List.of("32", "all"), differences.remove("batchSize"));
    assertEquals(List.of("adamw", "sgd"), differences.remove("optimizer.type"));
    assertEquals(List.of("0.9", "-"), differences.remove("optimizer.beta1"));
    assertTrue(differences.keySet().stream().allMatch(key -> key.startsWith("optimizer.")), differences.toString());
    List<String> keys = comparison.differences().stream().map(RunComparison.Difference::key).toList();
    assertEquals(keys.indexOf("layers") + 1, keys.indexOf("optimizer.type"));
    assertEquals("learningRate", keys.get(keys.size() - 2), "the keys of the optimizer are next to each other: " + keys);
    assertEquals(List.of(), comparison.warnings());
  }

  @Test
  void equalConfigurationsHaveNoDifference() throws IOException {
    RunComparison comparison = RunComparison.read(List.of(classes(changes -> {}), classes(changes -> {})));
    assertEquals(List.of(), comparison.differences());
    assertEquals(List.of(), comparison.warnings());
  }

  @Test
  void otherDataIsShownAndMakesScoresIncomparable() throws IOException {
    Path first = classes(changes -> {});
    Path second = write(RunFolders.CLASSES, RunFolders.finished(0.8), List.of(RunFolders.data("data", "other/iris.csv", "b")));
    RunComparison comparison = RunComparison.read(List.of(first, second));
    assertEquals(List.of("data [iris.csv, other/iris.csv]", "data SHA-256 [aaaaaaaaaaaa, bbbbbbbbbbbb]"), shown(comparison));
    assertEquals(List.of("the runs were trained on different data; only their test scores are comparable"), comparison.warnings());
  }

  @Test
  void sameContentUnderAnotherPathIsComparable() throws IOException {
    RunComparison comparison = RunComparison.read(List.of(classes(changes -> {}),
        write(RunFolders.CLASSES, RunFolders.finished(0.8), List.of(RunFolders.data("data", "copy.csv", "a")))));
    assertEquals(List.of("data [iris.csv, copy.csv]"), shown(comparison));
    assertEquals(List.of(), comparison.warnings());
  }

  @Test
  void otherValidationRowsMakeScoresIncomparable() throws IOException {
    String warning = "the runs have different validation rows; their scores are not comparable; train with the same --validation and"
        + " --split-seed";
    Path first = classes(changes -> changes.seed(42));
    assertEquals(List.of(warning), warnings(first, classes(changes -> changes.seed(43))));
    assertEquals(List.of(warning), warnings(first, classes(changes -> changes.validation(0.3))));
    assertEquals(List.of(warning), warnings(first, classes(changes -> changes.splitSeed(1))));
    assertEquals(List.of(), warnings(first, classes(changes -> changes.seed(43).splitSeed(42))));
    assertEquals(List.of(), warnings(first,
        classes(changes -> changes.columns(RunFolders.CLASSES.columns().withFeatures("a")))), "no row was dropped");
    assertEquals(List.of("the runs have different targets; their scores are not comparable"), warnings(first,
        classes(changes -> changes.columns(RunFolders.CLASSES.columns().withTargets("z")))));
  }

  @Test
  void scoresOfFoldsAndOfValidationRowsAreNotComparable() throws IOException {
    Map<String, Object> folds = RunFolders.finished(0.8);
    folds.keySet().removeIf(key -> key.startsWith("validation"));
    folds.putAll(Map.of("folds", 5, "foldCandidates", 3, "foldsAccuracy", 0.9, "foldsAccuracyDeviation", 0.1));
    assertEquals(List.of("some runs have no validation rows (run-2); their scores are not comparable with those of the other runs"),
        warnings(classes(changes -> {}), write(RunFolders.CLASSES, folds, List.of(IRIS))));
  }

  @Test
  void otherTestDataAndLossesAreNamed() throws IOException {
    Map<String, Object> tested = RunFolders.finished(0.8);
    tested.putAll(Map.of("testLoss", 0.5, "testAccuracy", 0.75, "testRows", 40));
    Path first = write(RunFolders.CLASSES, tested, List.of(IRIS, RunFolders.data("test", "t.csv", "c")));
    Path second = write(RunFolders.CLASSES, tested, List.of(IRIS, RunFolders.data("test", "t.csv", "d")));
    assertEquals(List.of("the runs were tested on different data; their test scores are not comparable"), warnings(first, second));
    assertEquals(List.of("the runs have different loss functions or weights; their losses are not comparable"),
        warnings(classes(changes -> {}), classes(changes -> changes.weights(new RowWeights(Optional.of("w"), Optional.empty())))));
  }

  @Test
  void interruptedRunHasPreliminaryScores() throws IOException {
    Path killed = RunFolders.write(folder.resolve("killed"), RunFolders.CLASSES,
        Map.of("state", "begun", "rows", 150, "droppedRows", 0, "validationRows", 30));
    assertEquals(List.of("the run killed is interrupted; its scores are those after 2 of 10 epochs"),
        warnings(classes(changes -> {}), killed));
  }

  @Test
  void badRunsAreRefused() throws IOException {
    Path first = classes(changes -> {});
    Path numbers = write(RunFolders.NUMBERS, Map.of("state", "begun"), List.of(IRIS));
    assertEquals(numbers + ": the run predicts numbers, but " + first + " classes; compare runs of the same task",
        fault(first, numbers));
    assertEquals(first + ": the run is named twice; name different runs", fault(first, first));
    Path link = Files.createSymbolicLink(folder.resolve("link"), first);
    assertEquals(link + ": the run is named twice, also as " + first + "; name different runs", fault(first, link));
    assertEquals(folder + ": this is no run folder; name one such as runs/iris-1 (plumb runs lists them)", fault(first, folder));
    Path[] many = new Path[13];
    Arrays.fill(many, first);
    assertEquals("13 runs: at most 12 can be compared", fault(many));
  }

  @Test
  void runsOfTheSameNameAreNamedByTheirPaths() throws IOException {
    Path one = RunFolders.write(folder.resolve("a/iris-1"), RunFolders.CLASSES, RunFolders.finished(0.9));
    Path two = RunFolders.write(folder.resolve("b/iris-1"), RunFolders.CLASSES, RunFolders.finished(0.9));
    Path three = RunFolders.write(folder.resolve("b/iris-2"), RunFolders.CLASSES, RunFolders.finished(0.9));
    assertEquals(List.of(one.toString(), two.toString(), "iris-2"), RunComparison.read(List.of(one, two, three)).names());
  }

  /** Wilson's interval for 27 of 30, by its formula, and Student's with SciPy's t.ppf(0.975, 4). */
  @Test
  void scoresHaveIntervals() throws IOException {
    Map<String, Object> result = RunFolders.finished(0.9);
    result.putAll(Map.of("folds", 5, "foldCandidates", 3, "foldsAccuracy", 0.8, "foldsAccuracyDeviation", 0.1,
        "testAccuracy", 0.5));
    List<RunScore> scores = RunScore.of(RunRecord.read(write(RunFolders.CLASSES, result, List.of(IRIS))));
    assertEquals(List.of("validation", "5 folds", "test"), scores.stream().map(RunScore::rows).toList());
    assertEquals(0.7438, scores.get(0).low(), 5e-5);
    assertEquals(0.9654, scores.get(0).high(), 5e-5);
    assertEquals(0.5, scores.get(0).baseline());
    assertEquals(0.8 - 2.7764451 * 0.1 / Math.sqrt(5), scores.get(1).low(), 1e-7);
    assertEquals(0.8 + 2.7764451 * 0.1 / Math.sqrt(5), scores.get(1).high(), 1e-7);
    assertTrue(!scores.get(2).hasInterval(), "the number of test rows is not known");

    scores = RunScore.of(RunRecord.read(write(RunFolders.NUMBERS, Map.of("state", "epochs", "epochs", 2, "bestEpoch", 2, "rows", 9,
        "validationR2", 0.5, "validationRows", 40), List.of(IRIS))));
    assertEquals(0.5, scores.get(0).value(Metric.R2));
    assertTrue(!scores.get(0).hasInterval() && Double.isNaN(scores.get(0).value(Metric.MAE)));

    scores = RunScore.of(RunRecord.read(write(RunFolders.CLASSES, Map.of("state", "epochs", "epochs", 2, "bestEpoch", 2,
        "trainingAccuracy", 0.5, "trainingRows", 40), List.of(IRIS))));
    assertEquals("training (seen)", scores.get(0).rows());
    assertTrue(!scores.get(0).hasInterval());
  }

  @Test
  void jsonHasAllValues() throws IOException {
    RunComparison comparison = RunComparison.read(List.of(classes(changes -> changes.learningRate(0.5)),
        classes(changes -> changes.clipNorm(1).watch(Metric.ACCURACY))));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    RunOutput.write(comparison, out);
    JsonNode json = new ObjectMapper().readTree(out.toByteArray());
    assertEquals("[]", json.get("warnings").toString());
    assertEquals("[{\"key\":\"learningRate\",\"values\":[0.5,0.003]},{\"key\":\"clipNorm\",\"values\":[null,1.0]},"
        + "{\"key\":\"watch\",\"values\":[\"loss\",\"accuracy\"]}]", json.get("differences").toString());
    JsonNode run = json.get("runs").get(1);
    assertEquals("run-2", run.get("name").asText());
    assertEquals("finished", run.get("status").asText());
    assertEquals(27, run.get("parameters").asInt());
    assertEquals(10, run.get("maxEpochs").asInt());
    assertEquals(IRIS.sha256(), run.get("data").get(0).get("sha256").asText());
    assertEquals(0.9, run.get("scores").get(0).get("accuracy").asDouble());
    assertEquals(0.7438, run.get("scores").get(0).get("low").asDouble(), 5e-5);
  }

  @Test
  void listIsSortedAndHasOnlyRuns() throws IOException {
    Path runs = folder.resolve("runs");
    time(RunFolders.write(runs.resolve("b-10"), RunFolders.CLASSES, RunFolders.finished(0.7)), 3);
    time(RunFolders.write(runs.resolve("b-9"), RunFolders.CLASSES, RunFolders.finished(0.9)), 1);
    time(RunFolders.write(runs.resolve("c"), RunFolders.NUMBERS, Map.of("state", "epochs", "epochs", 2, "bestEpoch", 2,
        "validationR2", 0.95)), 2);
    Path damaged = RunFolders.write(runs.resolve("a-1"), RunFolders.CLASSES, RunFolders.finished(0.8));
    Files.writeString(damaged.resolve("manifest.json"), "{");
    Files.createDirectory(runs.resolve("empty"));
    Files.createFile(runs.resolve("notes.txt"));
    assertEquals(List.of("b-9", "c", "b-10", "a-1"), names(runs, RunList.Sort.DATE));
    assertEquals(List.of("a-1", "b-9", "b-10", "c"), names(runs, RunList.Sort.NAME));
    assertEquals(List.of("b-9", "b-10", "c", "a-1"), names(runs, RunList.Sort.SCORE));
    assertEquals(List.of("c"), names(runs.resolve("c"), RunList.Sort.DATE), "a run folder itself");
    assertEquals(List.of(), names(runs.resolve("empty"), RunList.Sort.DATE));
    RunList.Entry entry = RunList.read(runs, RunList.Sort.NAME).entries().get(0);
    assertTrue(entry.run().isEmpty() && entry.problem().orElseThrow().startsWith(damaged.resolve("manifest.json") + ": "),
        entry.toString());

    ByteArrayOutputStream out = new ByteArrayOutputStream();
    RunOutput.write(RunList.read(runs, RunList.Sort.NAME), out);
    JsonNode json = new ObjectMapper().readTree(out.toByteArray()).get("runs");
    assertEquals("damaged", json.get(0).get("status").asText());
    assertEquals("1970-01-01T00:00:03Z", json.get(2).get("changed").asText());
  }

  @Test
  void folderThatDoesNotExistIsNamed() throws IOException {
    Path missing = folder.resolve("missing");
    assertEquals(missing + ": there is no such folder; name the folder in which run folders are, such as runs",
        assertThrows(InvalidInputException.class, () -> RunList.read(missing, RunList.Sort.DATE)).getMessage());
    Path file = Files.createFile(folder.resolve("file"));
    assertEquals(file + ": it is a file; name the folder in which run folders are, such as runs",
        assertThrows(InvalidInputException.class, () -> RunList.read(file, RunList.Sort.DATE)).getMessage());
  }

  private static List<String> names(Path runs, RunList.Sort sort) {
    return RunList.read(runs, sort).entries().stream().map(RunList.Entry::name).toList();
  }

  private static void time(Path run, int seconds) throws IOException {
    RunFolders.setTime(run, Instant.ofEpochSecond(seconds));
  }

  private Path classes(Consumer<TrainConfig.Changes> changes) throws IOException {
    return write(RunFolders.CLASSES.with(changes), RunFolders.finished(0.9), List.of(IRIS));
  }

  private Path write(TrainConfig config, Map<String, Object> result, List<DataFile> data) throws IOException {
    return RunFolders.write(folder.resolve("run-" + ++written), config, result, RunFolders.epochs(2), data);
  }

  private static List<String> shown(RunComparison comparison) {
    List<String> shown = new ArrayList<>();
    comparison.differences().forEach(of -> shown.add(of.key() + " " + of.values()));
    return shown;
  }

  private static List<String> warnings(Path... runs) {
    return RunComparison.read(List.of(runs)).warnings();
  }

  private static String fault(Path... runs) {
    return assertThrows(InvalidInputException.class, () -> RunComparison.read(List.of(runs))).getMessage();
  }
}
