package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.TargetEncoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training determines how a column is read, and the model keeps this for all later files. */
class ColumnReadingTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  /** Three classes that are easy to separate and whose names differ only in spelling. */
  @ParameterizedTest
  @CsvSource(delimiter = ' ', value = {"007 7 42 --categorical", "007 7 042 -", "1e3 1000 5 --task", "x y 07 -",
      "9007199254740993 9007199254740992 3 -"})
  void trainTestEvaluateAndPredictHaveTheSameClasses(String a, String b, String c, String option) throws IOException {
    List<String> classes = List.of(a, b, c);
    Path data = table("codes.csv", "x,code", 60, row -> 4 * (row % 3) + row / 100.0 + "," + classes.get(row % 3));
    Path one = table("one.csv", "x,code", 5, row -> 4 + row / 100.0 + "," + b);
    List<String> options = new ArrayList<>(List.of("--epochs", "60", "--layers", "8", "--lr", "0.05", "--test", one.toString()));
    options.addAll(option.equals("--categorical") ? List.of(option, "code") : option.equals("--task")
        ? List.of(option, "classification") : List.of());
    Path run = train(data, options);
    assertEquals(classes.stream().sorted().toList(), ((TargetEncoding.Classes) Plumb.load(run.resolve("model.safetensors"))
        .trained().encoding().target()).classNames().stream().sorted().toList());
    assertEquals(1, result(run).get("trainingAccuracy").doubleValue());
    assertEquals(1, result(run).get("testAccuracy").doubleValue());
    for (Path file : List.of(data, one)) {
      Path json = folder.resolve("scores.json");
      ran("evaluate", run.toString(), file.toString(), "--device", "reference", "--json", json.toString());
      JsonNode scores = JSON.readTree(json.toFile());
      assertEquals(1, scores.get("accuracy").doubleValue());
      for (JsonNode figures : scores.get("classes")) {
        int rows = file.equals(data) ? 20 : figures.get("name").textValue().equals(b) ? 5 : 0;
        assertEquals(rows, figures.get("rows").intValue(), figures.get("name").textValue());
      }
    }
    List<String> predicted = ran("predict", run.toString(), data.toString(), "--device", "reference").out().lines().toList();
    IntStream.range(0, 60).forEach(row -> assertEquals(classes.get(row % 3), predicted.get(row + 1).split(",")[0]));
    Model model = Plumb.load(run.resolve("model.safetensors"));
    assertEquals(1, model.score(model.read(one)).accuracy());
    assertEquals(1, model.score(Plumb.read(one)).accuracy(), "what a table keeps of a file is enough for the model");
  }

  @Test
  void declaredCategoryThatLooksLikeAMissingValueIsAClass() throws IOException {
    List<String> countries = List.of("NA", "ZA", "BW");
    Path data = table("countries.csv", "x,country", 60, row -> 4 * (row % 3) + row / 100.0 + "," + countries.get(row % 3));
    Plumbed refused = Plumbed.run("train", data.toString(), "--runs", folder.toString(), "--device", "reference");
    assertEquals(2, refused.code());
    assertEquals("plumb train: " + data + ": row 1: column \"country\" has no value (\"NA\" stands for a missing value); use"
        + " --missing drop or --missing mean\n", refused.err());
    Path run = train(data, List.of("--epochs", "60", "--na-values", "", "--test", data.toString()));
    assertEquals(1, result(run).get("testAccuracy").doubleValue());
    assertEquals(60, ran("predict", run.toString(), data.toString(), "--device", "reference").out().lines().skip(1)
        .filter(line -> countries.contains(line.split(",")[0])).count());
    ran("evaluate", run.toString(), data.toString(), "--device", "reference");
    Path dropped = train(data, List.of("--epochs", "2", "--missing", "drop", "--test", data.toString()));
    assertEquals(40, JSON.readTree(dropped.resolve("manifest.json").toFile()).get("result").get("rows").intValue());
    assertEquals(20, JSON.readTree(dropped.resolve("manifest.json").toFile()).get("result").get("droppedRows").intValue());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--categorical region | region,a,y | %d,%d.5,%d.25",
      "--header no --delimiter ; --task regression | 7;8;9 | %d;%d;%d.5",
      "--na-values g1 --missing mean | region,a,y | g%d,%d.5,%d.25",
      "--na-values 1.5,g1 --missing indicator --exclude region | region,a,y | g%d,%d.5,%d.25",
      "--target \"y,z\",b --features a --no-standardize | a,\"y,z\",b | %d,%d.5,%d.25"})
  void configurationInTheManifestTrainsTheSameModel(String options, String header, String row) throws IOException {
    Path data = table("data.csv", header, 40, i -> String.format(Locale.ROOT, row, i % 4, i, i * i % 7));
    List<String> given = new ArrayList<>(List.of(options.split(" ")));
    given.addAll(List.of("--epochs", "3", "--layers", "4"));
    Path run = train(data, given);
    JsonNode config = JSON.readTree(run.resolve("manifest.json").toFile()).get("config");
    Path file = folder.resolve("config.json");
    JSON.writeValue(file.toFile(), config);
    Path again = train(data, List.of("--config", file.toString()));
    assertArrayEquals(Plumb.load(run.resolve("model.safetensors")).trained().parameters(),
        Plumb.load(again.resolve("model.safetensors")).trained().parameters());
    assertEquals(config, JSON.readTree(again.resolve("manifest.json").toFile()).get("config"));
    assertEquals(Plumb.load(run.resolve("model.safetensors")).trained().encoding(),
        Plumb.load(again.resolve("model.safetensors")).trained().encoding());
  }

  @Test
  void allCommandsNoteUnknownCategories() throws IOException {
    Path data = table("train.csv", "flag,x,y", 40, row -> (row % 2 == 0 ? "True," : "False,") + row + ","
        + (row % 2 == 0 ? "p" : "q"));
    Path test = table("test.csv", "flag,x,y", 10, row -> "true," + row + ",p");
    String note = "column \"flag\" has 10 values that do not occur in the training data; encoded as all zeros\n";
    Plumbed trained = Plumbed.run("train", data.toString(), "--test", test.toString(), "--epochs", "1", "--runs",
        folder.toString(),
        "--device", "reference");
    assertTrue(trained.err().contains("note: test rows: " + note), trained.err());
    String run = folder.resolve("train-1").toString();
    assertTrue(Plumbed.run("evaluate", run, test.toString()).err().contains("note: " + note));
    assertTrue(Plumbed.run("predict", run, test.toString()).err().contains("note: " + note));
  }

  /** The model needs no excluded column, and the same predictions come of a table with one. */
  @Test
  void excludedColumnIsNotNeededAfterTraining() throws IOException {
    IntFunction<String> rest = row -> row % 7 + "," + row % 5 + "," + (row % 7 > 2 ? "p" : "q");
    Path data = table("train.csv", "id,a,b,y", 40, row -> "1.2." + row + "," + rest.apply(row));
    Path without = table("other.csv", "a,b,y", 40, rest);
    Plumbed trained = ran("train", data.toString(), "--exclude", "id", "--epochs", "2", "--runs", folder.toString(), "--device",
        "reference");
    assertTrue(trained.out().contains("train.csv, 40 rows, 2 features, 1 excluded; task: classification (inferred); target: \"y\", 2"),
        trained.out());
    String run = folder.resolve("train-1").toString();
    String predictions = ran("predict", run, data.toString(), "--device", "reference").out();
    assertEquals(predictions, ran("predict", run, without.toString(), "--device", "reference").out());
    assertEquals(ran("evaluate", run, data.toString(), "--device", "reference").out().lines().skip(2).toList(),
        ran("evaluate", run, without.toString(), "--device", "reference").out().lines().skip(2).toList());
    assertEquals(parameters(train(without, List.of("--epochs", "2"))), parameters(Path.of(run)));
    Plumbed folds = ran("cv", data.toString(), "--exclude", "id", "--group", "id", "--epochs", "1", "--device", "reference");
    assertTrue(folds.out().contains(" 2 features, 1 excluded; "), folds.out());
    Plumbed study = ran("study", "--data", data.toString(), "--exclude", "id", "--epochs", "1", "--device", "reference", "--log",
        folder.resolve("study.runs").toString());
    assertTrue(study.out().contains("train.csv, 40 rows, 2 features, 1 excluded; task: classification (inferred); target: \"y\", 2"),
        study.out());
  }

  private static List<Double> parameters(Path run) {
    return Arrays.stream(Plumb.load(run.resolve("model.safetensors")).trained().parameters()).boxed().toList();
  }

  @Test
  void defaultTargetThatIsNotTheLastColumnIsExplained() throws IOException {
    Path data = table("data.csv", "a,y,w,g", 40, row -> row + "," + row * 0.5 + "," + (1 + row % 2) + "," + row % 8);
    Plumbed trained = ran("train", data.toString(), "--weight", "w", "--exclude", "a", "--target", "y", "--epochs", "1", "--runs",
        folder.toString(), "--device", "reference");
    assertTrue(trained.out().contains("; target: \"y\"\n"), trained.out());
    Plumbed folds = ran("cv", data.toString(), "--weight", "w", "--group", "g", "--epochs", "1", "--device", "reference");
    assertTrue(folds.out().contains("; target: \"y\" (last column that is not the weight or the group)\n"), folds.out());
    Path weighted = table("short.csv", "a,y,w", 40, row -> row + "," + row * 0.5 + "," + (1 + row % 2));
    assertTrue(ran("train", weighted.toString(), "--weight", "w", "--epochs", "1", "--runs", folder.toString(), "--device",
        "reference").out().contains("; target: \"y\" (last column that is not the weight)\n"));
  }

  @Test
  void missingValuesAreNoted() throws IOException {
    Path data = table("train.csv", "a,c,w,y", 40, row -> (row % 4 == 0 ? "" : row) + "," + (row % 5 == 0 ? "" : "c" + row % 3) + ","
        + (row == 7 ? "" : 1) + "," + (row == 8 ? "" : row * 0.5));
    Path test = table("test.csv", "a,c,w,y", 10, row -> (row < 3 ? "" : row) + ",c1,1," + (row == 9 ? "" : row));
    Plumbed trained = ran("train", data.toString(), "--test", test.toString(), "--missing", "median", "--weight", "w", "--epochs", "1",
        "--runs", folder.toString(), "--device", "reference");
    assertTrue(trained.out().contains("rows: 38 for training, none for validation; 2 dropped because of missing targets or weights\n"),
        trained.out());
    assertTrue(trained.err().contains("note: training rows: missing values in 2 columns: \"a\" (9), \"c\" (8); numbers are replaced by"
        + " the median; missing text is a category\n"), trained.err());
    assertTrue(trained.err().contains("note: test rows: 1 of 10 dropped because of missing targets or weights\n"), trained.err());
    String note = "missing values in 1 column: \"a\" (3); replaced by values of the training rows\n";
    assertTrue(trained.err().contains("note: test rows: " + note), trained.err());
    String run = folder.resolve("train-1").toString();
    assertTrue(ran("predict", run, test.toString()).err().contains("note: " + note));
    Plumbed refused = Plumbed.run("evaluate", run, test.toString());
    assertEquals("plumb evaluate: " + test + ": row 10: target column \"y\" has no value; remove such rows\n", refused.err());
    Plumbed folds = ran("cv", data.toString(), "--missing", "indicator", "--weight", "w", "--epochs", "1", "--device", "reference");
    assertTrue(folds.out().contains("; 2 dropped because of missing targets or weights\n"), folds.out());
    assertTrue(folds.err().contains("\"a\" (9), \"c\" (8); numbers are replaced by the mean and marked by an additional input; missing"
        + " text is a category\n"), folds.err());
    assertTrue(ran("train", data.toString(), "--missing", "drop", "--weight", "w", "--epochs", "1", "--runs", folder.toString(),
        "--device", "reference").out().contains("rows: 23 for training, none for validation; 17 dropped because of missing values\n"));
  }

  @Test
  void nearlyUniqueFeatureIsNoted() throws IOException {
    Path data = table("names.csv", "name,x,y", 40, row -> "n" + row % 25 + "," + row + "," + row * 0.5);
    Plumbed trained = Plumbed.run("train", data.toString(), "--epochs", "1", "--validation", "0", "--runs", folder.toString(),
        "--device", "reference");
    assertTrue(trained.err().contains("note: column \"name\" has a unique value in most rows, so nothing can be learned from it;"
        + " exclude it with --exclude\n"), trained.err());
  }

  @Test
  void unusedColumnsAreNotChecked() throws IOException {
    Path data = table("train.csv", "a,b,c,y", 40, row -> row + "," + row % 5 + "," + (row == 7 ? "#N/A" : row) + "," + row * 0.5);
    Path run = train(data, List.of("--features", "a,b", "--epochs", "1"));
    Path other = table("new.csv", "room,a,b", 3, row -> (row == 2 ? "12a" : row == 1 ? "1e999" : "7") + "," + row + ",1");
    assertEquals(4, ran("predict", run.toString(), other.toString(), "--device", "reference").out().lines().count());
    Plumbed refused = Plumbed.run("train", data.toString(), "--runs", folder.toString(), "--device", "reference");
    assertEquals("plumb train: " + data + ": line 9, column 3 (\"c\"): \"#N/A\" is not a number, but the column's other values"
        + " are; correct it, leave it empty, mark it as missing (--na-values), or read the column as text (--categorical"
        + " c)\n", refused.err());
  }

  private Path table(String name, String header, int rows, IntFunction<String> row) throws IOException {
    List<String> lines = new ArrayList<>(List.of(header));
    IntStream.range(0, rows).mapToObj(row).forEach(lines::add);
    return Files.write(folder.resolve(name), lines);
  }

  private Path train(Path data, List<String> options) {
    List<String> command = new ArrayList<>(List.of("train", data.toString(), "--runs", folder.toString(), "--device", "reference",
        "--quiet"));
    command.addAll(options);
    String out = ran(command.toArray(String[]::new)).out();
    return Path.of(out.substring(out.lastIndexOf("run: ") + 5).strip());
  }

  private static Plumbed ran(String... command) {
    Plumbed ran = Plumbed.run(command);
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }

  private static JsonNode result(Path run) throws IOException {
    return JSON.readTree(run.resolve("manifest.json").toFile()).get("result");
  }
}
