package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CvCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");

  @TempDir Path folder;

  /** The seed of plumb train gives split and weights; several seeds share the split of the first. */
  @ParameterizedTest
  @CsvSource({
      "wine.csv, --epochs 12 --seed 7, false",
      "breast_cancer.csv, --epochs 10 --early-stopping 3, false",
      "diabetes.csv, --epochs 10 --repeats 2 --folds 3, false",
      "diabetes.csv, --epochs 6 --seeds 3 --dropout 0.2 --folds 3, true",
      "diabetes.csv, --epochs 6 --split-seed 9 --folds 3, true",
      "diabetes.csv, --epochs 8 --folds 3 --weight bmi --watch mae, false",
      "wine.csv, --epochs 5 --folds 3 --class-weights balanced, false",
      "wine.csv, --epochs 5 --loss binary_cross_entropy --precision fp64 --features alcohol --folds 2, false"})
  void foldsScoreAsTrainAndEvaluateDo(String table, String options, boolean hasSplitSeed) throws IOException {
    JsonNode result = cv(TABLES.resolve(table), options.split(" "));
    List<String> lines = Files.readAllLines(TABLES.resolve(table));
    List<String[]> predictions = predictions();
    List<String> ofTrain = new ArrayList<>(List.of(options.split(" ")));
    for (String option : List.of("--folds", "--repeats", "--seeds", "--seed")) {
      int at = ofTrain.indexOf(option);
      if (at >= 0) {
        ofTrain.subList(at, at + 2).clear();
      }
    }
    long seed = result.get("seed").longValue();
    if (hasSplitSeed && !ofTrain.contains("--split-seed")) {
      ofTrain.addAll(List.of("--split-seed", Long.toString(seed)));
    }
    int folds = result.get("folds").intValue();
    int networks = folds * result.get("repeats").intValue() * result.get("seeds").intValue();
    assertEquals(networks, result.get("runs").size());
    for (JsonNode run : result.get("runs")) {
      Set<Integer> test = new TreeSet<>();
      predictions.stream().filter(row -> isOf(row, run)).forEach(row -> test.add(Integer.parseInt(row[0])));
      Path fold = folder.resolve("fold.csv");
      Path held = folder.resolve("held.csv");
      Files.write(fold, rows(lines, row -> !test.contains(row)));
      Files.write(held, rows(lines, test::contains));
      List<String> train = new ArrayList<>(List.of("train", fold.toString(), "--runs", folder.resolve("runs").toString(), "--device",
          "cpu", "--quiet", "--validation", "0.1", "--seed", run.get("seed").asText()));
      train.addAll(ofTrain);
      Plumbed trained = Plumbed.run(train.toArray(String[]::new));
      assertEquals(0, trained.code(), trained.err());
      String model = trained.out().lines().filter(line -> line.startsWith("run: ")).findFirst().orElseThrow().substring(5);
      Path json = folder.resolve("evaluated.json");
      List<String> evaluate = new ArrayList<>(List.of("evaluate", model, held.toString(), "--device", "cpu", "--quiet", "--json",
          json.toString()));
      for (String option : List.of("--weight", "--class-weights")) {
        int at = ofTrain.indexOf(option);
        evaluate.addAll(at < 0 ? List.of() : ofTrain.subList(at, at + 2));
      }
      Plumbed evaluated = Plumbed.run(evaluate.toArray(String[]::new));
      assertEquals(0, evaluated.code(), evaluated.err());
      JsonNode expected = new ObjectMapper().readTree(json.toFile());
      run.get("scores").properties().forEach(score ->
          assertEquals(expected.get(score.getKey()).toString(), score.getValue().toString(), score.getKey() + " of " + run));
      assertTrue(run.get("scores").size() >= 4, run.toString());
      assertEquals(expected.get("rows").intValue(), run.get("testRows").intValue());
      assertEquals(lines.size() - 1, run.get("testRows").intValue() + run.get("trainingRows").intValue()
          + run.get("validationRows").intValue());
      assertPredicted(Path.of(model), held, predictions.stream().filter(row -> isOf(row, run)).toList());
    }
  }

  private static boolean isOf(String[] row, JsonNode run) {
    return row[1].equals(run.get("fold").asText()) && row[2].equals(run.get("repeat").asText())
        && row[3].equals(run.get("seed").asText());
  }

  /** Checks that the out-of-fold predictions are those of plumb predict, to the last digit. */
  private static void assertPredicted(Path model, Path held, List<String[]> rows) {
    Plumbed predicted = Plumbed.run("predict", model.toString(), held.toString(), "--device", "cpu", "--quiet");
    assertEquals(0, predicted.code(), predicted.err());
    List<String> expected = predicted.out().lines().skip(1).toList();
    assertEquals(expected, rows.stream().map(row -> String.join(",", Arrays.copyOfRange(row, 5, row.length))).toList());
  }

  @Test
  void groupsAreNeverInTwoFolds() throws IOException {
    List<String> lines = withColumn(Files.readAllLines(TABLES.resolve("wine.csv")), "batch", row -> "b" + row * row % 23);
    Path data = Files.write(folder.resolve("groups.csv"), lines);
    JsonNode result = cv(data, "--group", "batch", "--epochs", "2", "--folds", "4", "--repeats", "2");
    assertFalse(result.get("features").toString().contains("batch"), result.get("features").toString());
    assertEquals(13, result.get("features").size());
    assertEquals("batch", result.get("group").textValue());
    assertFalse(result.get("stratified").booleanValue());
    Map<String, String> foldOfGroup = new HashMap<>();
    List<String[]> predictions = predictions();
    assertEquals(2 * 178, predictions.size());
    for (String[] row : predictions) {
      String group = lines.get(Integer.parseInt(row[0])).split(",")[0];
      foldOfGroup.putIfAbsent(row[2] + group, row[1]);
      assertEquals(foldOfGroup.get(row[2] + group), row[1], "group " + group);
    }
    assertEquals(2 * 4, result.get("runs").size());
  }

  @Test
  void namedGroupIsAFeature() throws IOException {
    Path data = Files.write(folder.resolve("groups.csv"), withColumn(Files.readAllLines(TABLES.resolve("wine.csv")), "batch",
        row -> Integer.toString(row % 7)));
    assertEquals("[\"alcohol\",\"batch\"]",
        cv(data, "--group", "batch", "--epochs", "1", "--features", "alcohol,batch").get("features").toString());
  }

  @Test
  void foldsByTimeArePredictedFromEarlierRows() throws IOException {
    List<String> lines = withColumn(Files.readAllLines(TABLES.resolve("diabetes.csv")), "week",
        row -> Integer.toString(row * 37 % 90));
    Path data = Files.write(folder.resolve("times.csv"), lines);
    JsonNode result = cv(data, "--time", "week", "--epochs", "2", "--folds", "4");
    int[] weeks = lines.stream().skip(1).mapToInt(line -> Integer.parseInt(line.split(",")[0])).toArray();
    for (JsonNode run : result.get("runs")) {
      int[] test = predictions().stream().filter(row -> isOf(row, run)).mapToInt(row -> weeks[Integer.parseInt(row[0]) - 1]).toArray();
      int first = Arrays.stream(test).min().orElseThrow();
      long earlier = Arrays.stream(weeks).filter(week -> week < first).count();
      assertEquals(earlier, run.get("trainingRows").intValue() + run.get("validationRows").intValue());
      assertTrue(test.length >= 70, test.length + " test rows");
    }
  }

  @Test
  void tableShowsScoresMeanDeviationAndInterval() throws IOException {
    Path json = folder.resolve("cv.json");
    Plumbed ran = Plumbed.run("cv", TABLES.resolve("iris.csv").toString(), "--device", "cpu", "--epochs", "20", "--json",
        json.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    List<String> lines = ran.out().lines().toList();
    assertTrue(lines.get(1).matches("data: .*iris.csv, 150 rows, 4 features; task: classification \\(inferred\\); target: \"species\", 3"
        + " classes: setosa, versicolor, virginica"), lines.get(1));
    assertEquals("folds: 5, stratified by class, seed 42", lines.get(2));
    assertEquals("fold train test loss accuracy balanced accuracy macro F1 ROC AUC", lines.get(5).replaceAll(" +", " "));
    assertEquals(19, lines.size(), ran.out());
    assertEquals("loss: cross entropy in nats", lines.get(17));
    JsonNode accuracy = new ObjectMapper().readTree(json.toFile()).get("scores").get("accuracy");
    double[] folds = IntStream.range(6, 11).mapToDouble(i -> Double.parseDouble(lines.get(i).split(" +")[4])).toArray();
    double mean = Arrays.stream(folds).average().orElseThrow();
    double sd = Math.sqrt(Arrays.stream(folds).map(fold -> (fold - mean) * (fold - mean)).sum() / 4);
    double[] expected = {mean, sd, mean - 2.776445 * sd / Math.sqrt(5), Math.min(1, mean + 2.776445 * sd / Math.sqrt(5))};
    String[] keys = {"mean", "sd", "low", "high"};
    String[] names = {"mean", "sd", "95% low", "95% high"};
    for (int i = 0; i < 4; i++) {
      assertEquals(expected[i], accuracy.get(keys[i]).doubleValue(), 2e-4);
      String[] cells = lines.get(11 + i).split(" {2,}");
      assertEquals(names[i], cells[0]);
      assertEquals(Decimal.fixed(accuracy.get(keys[i]).doubleValue(), 4), cells[2]);
    }
  }

  @Test
  void resultDoesNotDependOnTheNumberOfThreads() throws IOException {
    String[] options = {"--epochs", "5", "--repeats", "2", "--seeds", "2"};
    JsonNode one = cv(TABLES.resolve("wine.csv"), with(options, "--threads", "1"));
    String predictions = Files.readString(folder.resolve("cv.csv"));
    JsonNode three = cv(TABLES.resolve("wine.csv"), with(options, "--threads", "3"));
    assertEquals(predictions, Files.readString(folder.resolve("cv.csv")));
    Stream.of(one, three).flatMap(result -> IntStream.range(0, 20).mapToObj(i -> (ObjectNode) result.get("runs").get(i)))
        .forEach(run -> run.remove("trainSeconds"));
    Stream.of(one, three).forEach(result -> ((ObjectNode) result).remove("device"));
    assertEquals(one, three);
  }

  @Test
  void featureThatDeterminesTheTargetIsNamed() throws IOException {
    List<String> lines = Files.readAllLines(TABLES.resolve("iris.csv"));
    Path data = Files.write(folder.resolve("leak.csv"), withColumn(lines, "code", row -> "c" + lines.get(row).split(",")[4].length()
        + lines.get(row).split(",")[4].charAt(1)));
    String note = "note: column \"code\" determines the target exactly; if it would not be known when predicting, leave it out with"
        + " --exclude\n";
    Plumbed validated = Plumbed.run("cv", data.toString(), "--device", "cpu", "--epochs", "1");
    assertEquals(0, validated.code());
    assertEquals(note, validated.err());
    Plumbed trained = Plumbed.run("train", data.toString(), "--device", "cpu", "--epochs", "1", "--runs", folder.toString());
    assertEquals(0, trained.code());
    assertTrue(trained.err().contains(note), trained.err());
    assertEquals("", Plumbed.run("cv", data.toString(), "--device", "cpu", "--epochs", "1", "--quiet").err());
    assertEquals("[\"code\"]", cv(data, "--epochs", "1").get("leaks").toString());
    Plumbed real = Plumbed.run("train", TABLES.resolve("iris.csv").toString(), "--device", "cpu", "--epochs", "1", "--runs",
        folder.toString());
    assertFalse(real.err().contains("determines"), real.err());
  }

  @Test
  void divergedTrainingIsAResult() throws IOException {
    Path json = folder.resolve("cv.json");
    Path report = folder.resolve("cv.html");
    Plumbed ran = Plumbed.run("cv", TABLES.resolve("diabetes.csv").toString(), "--device", "cpu", "--optimizer", "sgd", "--lr", "1e20",
        "--activation", "relu", "--folds", "3", "--epochs", "3", "--json", json.toString(), "--csv",
        folder.resolve("cv.csv").toString(), "--report", report.toString());
    assertEquals(1, ran.code(), ran.err());
    assertEquals("plumb cv: fold 1: training diverged; it has no scores; try --lr below 1.0E20 or --clip-norm 1",
        ran.err().lines().findFirst().orElseThrow());
    assertEquals(3, ran.err().lines().count());
    assertTrue(ran.out().contains("\nmean"), ran.out());
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertEquals(3, result.get("diverged").intValue());
    assertTrue(result.get("scores").get("r2").get("mean").isNull(), result.get("scores").toString());
    assertEquals(0, result.get("scores").get("r2").get("count").intValue());
    List<String[]> predictions = predictions();
    assertEquals(442, predictions.size());
    assertTrue(predictions.stream().allMatch(row -> row.length == 5), "no prediction");
    assertTrue(Files.readString(report).contains("3 of 3 trainings diverged."));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void stopSignalWritesNothing() throws Exception {
    Path json = folder.resolve("cv.json");
    Process process = PlumbProcess.start(folder, List.of(), List.of("cv", TABLES.resolve("wine.csv").toAbsolutePath().toString(),
        "--device", "reference", "--epochs", "100000", "--early-stopping", "0", "--json", json.toString(), "--csv",
        folder.resolve("cv.csv").toString(), "--report", folder.resolve("cv.html").toString()));
    PlumbProcess.await(() -> Files.exists(folder.resolve("out")) && Files.readString(folder.resolve("out")).contains("network: "));
    // The handler of the signal is installed after the heading.
    Thread.sleep(1000);
    PlumbProcess.signal(process, "INT");
    assertEquals(130, process.waitFor());
    String err = Files.readString(folder.resolve("err"));
    assertTrue(err.endsWith("plumb cv: stopped; nothing was written\n"), err);
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of("err", "out"), files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  /** Runs a cross-validation on the CPU; its predictions are in cv.csv. */
  private JsonNode cv(Path data, String... options) throws IOException {
    Path json = folder.resolve("cv.json");
    Plumbed ran = Plumbed.run(with(options, "cv", data.toString(), "--device", "cpu", "--quiet", "--json", json.toString(), "--csv",
        folder.resolve("cv.csv").toString()));
    assertEquals(0, ran.code(), ran.err());
    return new ObjectMapper().readTree(json.toFile());
  }

  private List<String[]> predictions() throws IOException {
    return Files.readAllLines(folder.resolve("cv.csv")).stream().skip(1).map(line -> line.split(",")).toList();
  }

  private static String[] with(String[] options, String... before) {
    return Stream.concat(Arrays.stream(before), Arrays.stream(options)).toArray(String[]::new);
  }

  /** Returns the header and the chosen rows. */
  private static List<String> rows(List<String> lines, IntPredicate chosen) {
    return Stream.concat(Stream.of(lines.get(0)), IntStream.range(1, lines.size()).filter(chosen).mapToObj(lines::get)).toList();
  }

  /** Returns the lines with a first column more. */
  private static List<String> withColumn(List<String> lines, String name, IntFunction<String> value) {
    return IntStream.range(0, lines.size()).mapToObj(row -> (row == 0 ? name : value.apply(row)) + "," + lines.get(row)).toList();
  }
}
