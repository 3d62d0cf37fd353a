package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.train.Predictions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Inputs outside the range of the precision never lead to a prediction. */
class OverflowTest {
  @TempDir Path folder;

  @Test
  void valueBeyondSinglePrecisionIsRefusedWithRowAndColumn() throws IOException {
    Path run = train("classes.csv", row -> row % 5 + "," + row + "," + (row % 2 == 0 ? "no" : "yes"), "--precision", "fp32");
    Path far = table("far.csv", 2, row -> row == 0 ? "1,2,no" : "1e60,-1e60,yes");
    String message = far + ": row 2: 1.0E60 in column \"a\" is outside the range of fp32 after encoding; correct it or remove"
        + " the row (a model trained with --precision fp64 has a wider range)\n";
    Path out = folder.resolve("out.csv");
    Plumbed predicted = Plumbed.run("predict", run.toString(), far.toString(), "--device", "cpu", "--out", out.toString());
    assertEquals("plumb predict: " + message, predicted.err().lines().skip(predicted.err().lines().count() - 1).findFirst()
        .orElseThrow() + "\n");
    assertEquals(2, predicted.code());
    assertFalse(Files.exists(out));
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), far.toString(), "--device", "cpu");
    assertEquals(2, evaluated.code());
    assertTrue(evaluated.err().endsWith(message), evaluated.err());
    Plumbed tested = Plumbed.run("train", folder.resolve("classes.csv").toString(), "--test", far.toString(), "--runs",
        folder.resolve("none").toString(), "--device", "cpu");
    assertEquals(2, tested.code());
    assertTrue(tested.err().endsWith(message), tested.err());
    assertFalse(Files.exists(folder.resolve("none")));
    Plumbed plain = Plumbed.run("train", far.toString(), "--no-standardize", "--runs", folder.resolve("none").toString(),
        "--device", "cpu");
    assertEquals(2, plain.code());
    assertTrue(plain.err().endsWith(message), plain.err());
    Model model = Plumb.load(run.resolve("model.safetensors"));
    assertThrows(InvalidInputException.class, () -> model.predict(Plumb.read(far)));
  }

  @Test
  void rowsThatOverflowWithinTheNetworkAreEmptyAndCounted() throws IOException {
    IntFunction<String> large = row -> row == 1 ? "3e38,3e38,yes" : "1,2,no";
    Path run = train("classes.csv", row -> row % 5 + "," + row + "," + (row % 2 == 0 ? "no" : "yes"), "--precision", "fp32",
        "--no-standardize", "--activation", "relu", "--layers", "64,64");
    Path file = table("large.csv", 3, large);
    Plumbed predicted = Plumbed.run("predict", run.toString(), file.toString(), "--device", "cpu", "--quiet");
    assertEquals(0, predicted.code());
    assertEquals("plumb predict: 1 row is left empty because the network's outputs are not finite; first: row 2, where column"
        + " \"a\" is 3e38\n", predicted.err());
    List<String> lines = predicted.out().lines().toList();
    assertEquals(",,", lines.get(2));
    assertTrue(lines.get(3).startsWith("no,") || lines.get(3).startsWith("yes,"), lines.get(3));
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), file.toString(), "--device", "cpu", "--quiet");
    assertEquals(2, evaluated.code());
    assertEquals("plumb evaluate: " + file + ": row 2, where column \"a\" is 3e38: the network's outputs are not finite there; correct"
        + " the row or leave it out\n", evaluated.err());
    Model model = Plumb.load(run.resolve("model.safetensors"));
    Table table = model.read(file);
    Predictions predictions = model.predict(table);
    assertFalse(predictions.isFinite(1));
    assertEquals("", predictions.className(1));
    assertEquals(-1, predictions.classIndex(1));
    assertTrue(predictions.isFinite(0));
    assertThrows(InvalidInputException.class, () -> model.score(table));
  }

  @Test
  void predictionThatOverflowsIsAnEmptyFieldAndNotAnEmptyLine() throws IOException {
    Path run = train("numbers.csv", row -> row % 5 + "," + row + "," + row * 0.5, "--precision", "fp32", "--no-standardize",
        "--activation", "relu", "--layers", "64,64");
    Path file = table("large.csv", 3, row -> row == 1 ? "3e38,3e38,1" : "1,2,1");
    Plumbed predicted = Plumbed.run("predict", run.toString(), file.toString(), "--device", "cpu");
    assertEquals("\"\"", predicted.out().lines().toList().get(2));
  }

  @Test
  void trainingThatOverflowsHasDiverged() throws IOException {
    Path data = table("rows.csv", 30, row -> row % 5 + "," + row + "," + row * 0.5);
    Plumbed trained = Plumbed.run("train", data.toString(), "--optimizer", "sgd", "--activation", "linear", "--lr", "1e20",
        "--epochs",
        "1", "--batch-size", "all", "--layers", "8,8", "--runs", folder.toString(), "--device", "cpu", "--quiet");
    assertEquals(1, trained.code(), trained.err());
    assertTrue(trained.err().contains("plumb train: training diverged: "), trained.err());
    JsonNode manifest = new ObjectMapper().readTree(folder.resolve("rows-1/manifest.json").toFile());
    assertFalse(manifest.get("result").get("state").textValue().equals("begun"), manifest.toString());
  }

  private Path train(String name, IntFunction<String> row, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of("train", table(name, 40, row).toString(), "--runs", folder.toString(),
        "--epochs",
        "1", "--device", "cpu", "--quiet"));
    command.addAll(List.of(options));
    Plumbed trained = Plumbed.run(command.toArray(String[]::new));
    assertEquals(0, trained.code(), trained.err());
    return Path.of(trained.out().substring(trained.out().lastIndexOf("run: ") + 5).strip());
  }

  private Path table(String name, int rows, IntFunction<String> row) throws IOException {
    List<String> lines = new ArrayList<>(List.of("a,b,y"));
    IntStream.range(0, rows).mapToObj(row).forEach(lines::add);
    return Files.write(folder.resolve(name), lines);
  }
}
