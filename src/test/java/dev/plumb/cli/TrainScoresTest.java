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
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The scores, baselines and verdicts that plumb train prints and stores. */
class TrainScoresTest {
  private static final Path TABLES = Path.of("src/test/resources/tables").toAbsolutePath();
  private static final String IRIS = TABLES.resolve("iris.csv").toString();
  private static final String DIABETES = TABLES.resolve("diabetes.csv").toString();

  @TempDir Path folder;

  private Plumbed train(String data, String... options) {
    List<String> command = new ArrayList<>(List.of("train", data, "--runs", folder.resolve("runs").toString(), "--device", "cpu",
        "--name", "run", "--quiet"));
    command.addAll(List.of(options));
    return Plumbed.run(command.toArray(String[]::new));
  }

  private Path run(int number) {
    return folder.resolve("runs/run-" + number);
  }

  /** Returns the fields of the first line that starts with a text, after this text. */
  private static List<String> fields(String out, String start) {
    String line = out.lines().filter(text -> text.startsWith(start)).findFirst().orElseThrow(() -> new AssertionError(out));
    return List.of(line.substring(start.length()).strip().split(" +"));
  }

  private JsonNode evaluated(int number, String data) throws IOException {
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = Plumbed.run("evaluate", run(number).toString(), data, "--json", json.toString(), "--device", "cpu");
    assertEquals(0, evaluated.code(), evaluated.err());
    return new ObjectMapper().readTree(json.toFile());
  }

  private JsonNode result(int number) throws IOException {
    return new ObjectMapper().readTree(run(number).resolve("manifest.json").toFile()).get("result");
  }

  private static String rounded(JsonNode value) {
    return Decimal.fixed(value.doubleValue(), 4);
  }

  @Test
  void errorsOfNumbersAreInTheUnitOfTheTarget() throws IOException {
    Plumbed trained = train(DIABETES, "--epochs", "20", "--validation", "0.1", "--test", DIABETES);
    assertEquals(0, trained.code(), trained.err());
    JsonNode scores = evaluated(1, DIABETES);
    assertEquals(List.of("loss", "r2", "mae", "rmse"), fields(trained.out(), "rows   "));
    assertEquals(List.of(rounded(scores.get("loss")), rounded(scores.get("r2")), rounded(scores.get("mae")),
        rounded(scores.get("rmse"))), fields(trained.out(), "test "));
    JsonNode result = result(1);
    assertEquals(scores.get("mae").doubleValue(), result.get("testMae").doubleValue());
    assertEquals(scores.get("rmse").doubleValue(), result.get("testRmse").doubleValue());
    assertTrue(result.get("validationRmse").doubleValue() > 20, result.toString());
    assertEquals(scores.get("baseline").get("rmse").doubleValue(), result.get("testBaselineRmse").doubleValue());
    assertEquals(77, result.get("trainingBaselineRmse").doubleValue(), 2, "the standard deviation of the target");
    assertTrue(trained.out().contains(
        "\nloss: mean squared error of the standardized target; MAE and RMSE: in the unit of the target\n"), trained.out());
    assertTrue(trained.out().contains("\nbaseline: always the mean of the training rows\n"), trained.out());
    assertTrue(trained.out().contains("\ntraining (seen in training)  "), trained.out());
    String report = Files.readString(run(1).resolve("report.html"));
    for (String text : List.of("training (seen in training)", "<th scope=\"col\">RMSE</th>",
        "Loss: mean squared error of the standardized target", "Predictions on test rows", "Predictions on validation rows",
        "<p class=\"summary\">Saved: weights of the best epoch, ")) {
      assertTrue(report.contains(text), text);
    }
    assertFalse(report.contains("class=\"note\""), "a success is no warning");
  }

  @Test
  void confusionMatrixOfTheTestRowsIsThatOfTheEvaluation() {
    Plumbed trained = train(IRIS, "--epochs", "30", "--validation", "0.3", "--test", IRIS);
    String evaluated = Plumbed.run("evaluate", run(1).toString(), IRIS, "--device", "cpu").out();
    String matrix = evaluated.substring(evaluated.indexOf("actual \\ predicted"));
    assertTrue(trained.out().contains("\ntest rows:\n" + matrix), trained.out());
    Plumbed validated = train(IRIS, "--epochs", "30", "--validation", "0.3");
    assertTrue(validated.out().contains("\nvalidation rows:\nactual \\ predicted"), validated.out());
    assertFalse(train(IRIS, "--epochs", "3").out().contains("actual \\ predicted"), "there is none of training rows");
  }

  @Test
  void accuracyIsNextToThatOfTheMajorityClassOfTheTrainingRows() throws IOException {
    List<String> lines = new ArrayList<>(List.of("x,y"));
    for (int row = 0; row < 100; row++) {
      lines.add(row + "," + (row % 5 == 0 ? "no" : "yes"));
    }
    Path data = Files.write(folder.resolve("data.csv"), lines);
    Path test = Files.write(folder.resolve("test.csv"), List.of("x,y", "1,no", "2,no", "3,no", "4,yes"));
    Plumbed trained = train(data.toString(), "--epochs", "3", "--watch", "macro_f1", "--test", test.toString());
    String out = trained.out();
    assertEquals(List.of("loss", "accuracy", "macro_f1"), fields(out, "rows   "));
    assertEquals(List.of("-", "0.8000", "0.4444"), fields(out, "  baseline"));
    assertEquals(List.of("-", "0.2500", "0.2000"), fields(out.substring(out.indexOf("\ntest ")), "  baseline"));
    assertTrue(out.contains("\nloss: cross entropy in nats\nbaseline: always the majority class of the training rows, \"yes\"\n"), out);
    JsonNode baseline = evaluated(1, test.toString()).get("baseline");
    assertEquals(0.25, baseline.get("accuracy").doubleValue());
    assertEquals(0.5, baseline.get("rocAuc").doubleValue());
    // The probability of "yes" is 0.8 for all rows.
    assertEquals((3 * 0.8 * 0.8 + 0.2 * 0.2) / 4, baseline.get("brier").doubleValue(), 1e-12);
    assertEquals(0.8 - 0.25, baseline.get("expectedCalibrationError").doubleValue(), 1e-12);
    assertFalse(baseline.has("loss"), baseline.toString());
    String evaluated = Plumbed.run("evaluate", run(1).toString(), test.toString()).out();
    assertEquals(List.of("score", "baseline"), fields(evaluated, "metric"));
    assertEquals("0.250000", fields(evaluated, "accuracy").get(1));
  }

  @Test
  void foldsAreNextToTheirBaseline() throws IOException {
    Path json = folder.resolve("cv.json");
    Plumbed ran = Plumbed.run("cv", IRIS, "--epochs", "2", "--device", "cpu", "--quiet", "--json", json.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals(List.of("-", "0.3333", "0.3333", "0.1667", "0.5000"), fields(ran.out(), "baseline "));
    assertEquals(1.0 / 3, new ObjectMapper().readTree(json.toFile()).get("scores").get("accuracy").get("baseline").doubleValue(), 1e-12);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e9", "1e4"})
  void finiteLossAboveTheInitialOneIsAFailure(String rate) throws IOException {
    Plumbed trained = train(DIABETES, "--lr", rate, "--epochs", "20", "--layers", "100", "--activation", "tanh", "--optimizer", "adam");
    assertEquals(1, trained.code(), trained.out());
    assertTrue(trained.err().startsWith("plumb train: the network did not learn: the loss of the training rows is "), trained.err());
    assertTrue(trained.err().endsWith(" before the training; try --lr below " + Double.parseDouble(rate) + " or --clip-norm 1\n"),
        trained.err());
    assertTrue(result(1).get("initialTrainingLoss").doubleValue() < 5);
    assertTrue(Files.readString(run(1).resolve("report.html")).contains("<p class=\"note\">The network did not learn: "));
  }

  /** A target that no feature explains: the network is at its optimum almost at once. */
  @ParameterizedTest
  @ValueSource(strings = {"--lr 1e-9", "--epochs 1", "--lr 0.003", "--lr 0.1", "--lr 0.05 --optimizer sgd", "--batch-size 1 --epochs 3",
      "--dropout 0.5", "--loss mae", "--no-standardize", "--initializer he_normal --layers 64,64,64"})
  void trainingNearTheOptimumIsNoFailure(String options) throws IOException {
    Random random = new Random(1);
    List<String> numbers = new ArrayList<>(List.of("x,z,y"));
    List<String> classes = new ArrayList<>(List.of("x,z,y"));
    for (int row = 0; row < 120; row++) {
      numbers.add(random.nextGaussian() + ",1," + random.nextGaussian());
      classes.add(random.nextGaussian() + ",1," + (random.nextInt(10) == 0 ? "rare" : "common"));
    }
    List<String> more = new ArrayList<>(List.of(options.split(" ")));
    if (!options.contains("--epochs")) {
      more.addAll(List.of("--epochs", "30"));
    }
    Plumbed ofNumbers = train(Files.write(folder.resolve("numbers.csv"), numbers).toString(), more.toArray(String[]::new));
    assertEquals(0, ofNumbers.code(), ofNumbers.out() + ofNumbers.err());
    if (!options.contains("--loss")) {
      Plumbed ofClasses = train(Files.write(folder.resolve("classes.csv"), classes).toString(), more.toArray(String[]::new));
      assertEquals(0, ofClasses.code(), ofClasses.out() + ofClasses.err());
    }
  }

  /** A network can be sure of wrong classes, so that its loss is high, and yet be right about most. */
  @Test
  void accuracyAboveTheBaselineIsNoFailure() {
    Plumbed trained = train(IRIS, "--lr", "30", "--epochs", "30", "--layers", "100", "--activation", "tanh", "--optimizer", "adam",
        "--validation", "0");
    assertTrue(Double.parseDouble(fields(trained.out(), "training (seen in training)").get(1)) > 0.6, trained.out());
    assertEquals(0, trained.code(), trained.out() + trained.err());
  }
}
