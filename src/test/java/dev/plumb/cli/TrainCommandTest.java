package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.RunFolder;
import dev.plumb.train.RunLock;
import dev.plumb.train.RunMetadata;
import dev.plumb.train.TrainConfigJson;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands train, evaluate, predict and export on small tables. */
class TrainCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables").toAbsolutePath();
  private static final String IRIS = TABLES.resolve("iris.csv").toString();

  @TempDir Path folder;

  @Test
  void runFolderHasAllFilesOfATraining() throws IOException {
    Path run = train(IRIS, "--epochs", "3", "--test", IRIS, "--seed", "7");
    assertEquals("iris-1", run.getFileName().toString());
    try (Stream<Path> files = Files.list(run)) {
      assertEquals(List.of(".lock", "checkpoint.safetensors", "events", "manifest.json", "metrics.csv", "model.safetensors",
          "report.html"),
          files.map(file -> file.getFileName().toString().replaceFirst("^events\\.out\\.tfevents\\..*",
              "events")).sorted().toList());
    }
    JsonNode manifest = new ObjectMapper().readTree(run.resolve("manifest.json").toFile());
    assertEquals("cpu", manifest.get("device").get("kind").textValue());
    assertEquals(7, manifest.get("seed").intValue());
    assertEquals("classification", manifest.get("config").get("task").textValue());
    assertEquals("species", manifest.get("config").get("targets").get(0).textValue());
    assertEquals(64, manifest.get("data").get(0).get("sha256").textValue().length());
    assertTrue(manifest.get("command").textValue().startsWith("plumb train "), manifest.get("command").textValue());
    assertTrue(manifest.get("result").get("testAccuracy").doubleValue() > 0.3);
    List<String> metrics = Files.readAllLines(run.resolve("metrics.csv"));
    assertEquals("epoch,train_loss,validation_loss,accuracy,learning_rate,seconds,gradient_norm_1,gradient_norm_2,gradient_norm_3",
        metrics.get(0));
    assertEquals(4, metrics.size());
    assertTrue(metrics.get(3).startsWith("3,"), metrics.get(3));
    assertTrue(Files.readString(run.resolve("report.html")).contains("versicolor"));
  }

  @Test
  void runFolderIsNeverOverwritten() throws IOException {
    Path first = train(IRIS, "--epochs", "1");
    byte[] model = Files.readAllBytes(first.resolve("model.safetensors"));
    Path second = train(IRIS, "--epochs", "2");
    assertEquals("iris-2", second.getFileName().toString());
    assertArrayEquals(model, Files.readAllBytes(first.resolve("model.safetensors")));
  }

  @Test
  void nameIsCutBetweenCodePoints() throws IOException {
    String letter = Character.toString(0x20000);
    Path run = train(IRIS, "--epochs", "1", "--name", "a".repeat(59) + letter + letter);
    assertEquals("a".repeat(59) + "-1", run.getFileName().toString());
    Path data = Files.copy(Path.of(IRIS), folder.resolve("a".repeat(59) + letter + letter + ".csv"));
    assertEquals("a".repeat(59) + "-2", train(data.toString(), "--epochs", "1").getFileName().toString());
  }

  @Test
  void temporaryFolderOfAKilledTrainingIsDeleted() throws IOException {
    Path runs = Files.createDirectory(folder.resolve("runs"));
    Path left = Files.createDirectory(runs.resolve(".plumb-" + UUID.randomUUID()));
    Files.writeString(left.resolve("checkpoint.safetensors"), "half");
    train(IRIS, "--epochs", "1");
    try (Stream<Path> files = Files.list(runs)) {
      assertEquals(List.of("iris-1"), files.map(file -> file.getFileName().toString()).toList());
    }
  }

  @Test
  void sameCommandMakesTheSameModel() throws IOException {
    byte[] first = Files.readAllBytes(train(IRIS, "--epochs", "5").resolve("model.safetensors"));
    assertArrayEquals(first, Files.readAllBytes(train(IRIS, "--epochs", "5").resolve("model.safetensors")));
  }

  /** The run is resumed from its initial checkpoint. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void resumedRunMakesTheSameModelByteForByte(String device) throws IOException {
    List<String> options = List.of("--epochs", "10", "--dropout", "0.2", "--schedule", "plateau", "--warm-up", "2",
        "--optimizer", "adamw", "--early-stopping", "4", "--device", device);
    Path whole = train(IRIS, options.toArray(String[]::new));
    Path stopped = StoppedRun.make(whole, folder.resolve("stopped"));
    Plumbed resumed = Plumbed.run("train", "--resume", stopped.toString(), "--quiet");
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(stopped.resolve("model.safetensors")));
    assertEquals(withoutSeconds(whole), withoutSeconds(stopped));
  }

  @Test
  void runLockedByAnotherProcessIsNotChanged() throws IOException {
    Path stopped = StoppedRun.make(train(IRIS, "--epochs", "2"), folder.resolve("stopped"));
    RunLock other = RunFolder.open(stopped).lock();
    try {
      Plumbed refused = Plumbed.run("train", "--resume", stopped.toString());
      assertEquals(2, refused.code());
      assertEquals("plumb train: " + stopped + ": another process is training in it; wait for its end, or begin a new run\n",
          refused.err());
    } finally {
      other.close();
    }
    assertEquals(0, Plumbed.run("train", "--resume", stopped.toString(), "--quiet").code());
  }

  private static List<String> withoutSeconds(Path run) throws IOException {
    return Files.readAllLines(run.resolve("metrics.csv")).stream().map(line -> {
      List<String> fields = new ArrayList<>(List.of(line.split(",")));
      fields.remove(5);
      return String.join(",", fields);
    }).toList();
  }

  @Test
  void resumingAFinishedRunRestoresItsFiles() throws IOException {
    Path run = train(IRIS, "--epochs", "3");
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("model.safetensors"));
    Files.delete(run.resolve("report.html"));
    assertEquals(0, Plumbed.run("train", "--resume", run.toString(), "--quiet").code());
    assertArrayEquals(model, Files.readAllBytes(run.resolve("model.safetensors")));
    assertTrue(Files.exists(run.resolve("report.html")));
  }

  @Test
  void runWhoseDataChangedIsNotResumed() throws IOException {
    Path data = Files.copy(Path.of(IRIS), folder.resolve("data.csv"));
    Path run = train(data.toString(), "--epochs", "1");
    Files.writeString(data, Files.readString(data).replaceFirst("5.1", "5.2"));
    Plumbed resumed = Plumbed.run("train", "--resume", run.toString());
    assertEquals(2, resumed.code());
    assertTrue(resumed.err().contains("the file has changed since the run started"), resumed.err());
  }

  @Test
  void resumedRunKeepsItsOwnOptions() throws IOException {
    Path run = train(IRIS, "--epochs", "1");
    Plumbed resumed = Plumbed.run("train", "--resume", run.toString(), "--epochs", "5");
    assertEquals(2, resumed.code());
    assertEquals("plumb train: --epochs: cannot be changed when a run is resumed; omit the option\n", resumed.err());
  }

  @Test
  void printedConfigurationTrainsTheSame() throws IOException {
    String[] options = {"--layers", "7,5", "--activation", "elu", "--optimizer", "sgd", "--momentum", "0.8", "--lr", "0.05",
        "--schedule", "cosine", "--epochs", "4", "--batch-size", "all", "--weight-decay", "0.001", "--clip-norm", "2",
        "--dropout", "0.1", "--early-stopping", "0", "--seed", "5", "--validation", "0.2", "--precision", "fp64"};
    List<String> printing = new ArrayList<>(List.of("train", "--print-config"));
    printing.addAll(List.of(options));
    Plumbed printed = Plumbed.run(printing.toArray(String[]::new));
    assertEquals(0, printed.code(), printed.err());
    Path config = Files.writeString(folder.resolve("config.json"), printed.out());
    Path byOptions = train(IRIS, options);
    Path byConfig = train(IRIS, "--config", config.toString());
    assertArrayEquals(Checkpoint.read(byOptions.resolve("checkpoint.safetensors")).state().best(),
        Checkpoint.read(byConfig.resolve("checkpoint.safetensors")).state().best());
    assertEquals(printed.out(), Plumbed.run("train", "--print-config", "--config", config.toString()).out());
  }

  @Test
  void differenceOfAConfigurationTrainsTheSameAsItsOptions() throws IOException {
    String[] options = {"--layers", "7,5", "--target", "species", "--validation", "0.2", "--split-seed", "3", "--epochs", "4",
        "--seed", "5", "--dropout", "0.1", "--precision", "fp64"};
    Path byOptions = train(IRIS, options);
    Checkpoint expected = Checkpoint.read(byOptions.resolve("checkpoint.safetensors"));
    String difference = TrainConfigJson.difference(RunMetadata.of(expected).config());
    assertTrue(difference.startsWith("{") && difference.contains("\"splitSeed\":3"), difference);
    Path byConfig = train(IRIS, "--config", " " + difference);
    assertArrayEquals(expected.state().best(), Checkpoint.read(byConfig.resolve("checkpoint.safetensors")).state().best());
    JsonNode manifest = new ObjectMapper().readTree(byConfig.resolve("manifest.json").toFile());
    assertEquals(3, manifest.get("config").get("splitSeed").intValue());
    assertTrue(Files.readString(byConfig.resolve("report.html")).contains("splitSeed"));
  }

  @Test
  void splitSeedIsPrintedAndSurvivesAResume() throws IOException {
    List<String> options = List.of("--epochs", "3", "--validation", "0.25", "--split-seed", "9");
    Plumbed ran = Plumbed.run(command(IRIS, options));
    assertTrue(ran.out().contains(", seed 42, split seed 9\n"), ran.out());
    Path whole = folder.resolve("runs/iris-1");
    Path stopped = StoppedRun.make(whole, folder.resolve("stopped"));
    Plumbed resumed = Plumbed.run("train", "--resume", stopped.toString());
    assertEquals(0, resumed.code(), resumed.err());
    assertTrue(resumed.out().contains(", seed 42, split seed 9\n"), resumed.out());
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(stopped.resolve("model.safetensors")));
    assertEquals(2, Plumbed.run("train", "--resume", stopped.toString(), "--split-seed", "8").code());
  }

  @Test
  void predictionsOfClassesAreNamesAndProbabilities() throws IOException {
    Path run = train(IRIS, "--epochs", "30");
    Plumbed predicted = Plumbed.run("predict", run.toString(), IRIS);
    assertEquals(0, predicted.code(), predicted.err());
    List<String> lines = predicted.out().lines().toList();
    assertEquals("species,probability_setosa,probability_versicolor,probability_virginica", lines.get(0));
    assertEquals(151, lines.size());
    String[] first = lines.get(1).split(",");
    assertEquals("setosa", first[0]);
    assertEquals(1, Double.parseDouble(first[1]) + Double.parseDouble(first[2]) + Double.parseDouble(first[3]), 1e-12);
    Path out = folder.resolve("out.csv");
    assertEquals(0, Plumbed.run("predict", run.resolve("model.safetensors").toString(), IRIS, "--out", out.toString()).code());
    assertEquals(predicted.out(), Files.readString(out));
  }

  @Test
  void standardInputIsReadAsDataAndNeedsNoTarget() throws IOException {
    Path run = train(IRIS, "--epochs", "30");
    List<String> lines = Files.readAllLines(Path.of(IRIS));
    String table = "petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,3.5,5.1\n";
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream(table.getBytes(StandardCharsets.UTF_8)));
      Plumbed predicted = Plumbed.run("predict", run.toString(), "-");
      assertEquals(0, predicted.code(), predicted.err());
      assertEquals("5.1,3.5,1.4,0.2,setosa", lines.get(1));
      Path file = Files.writeString(folder.resolve("row.csv"), lines.get(0) + "\n" + lines.get(1) + "\n");
      assertEquals(Plumbed.run("predict", run.toString(), file.toString()).out().lines().toList(),
          predicted.out().lines().toList());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void evaluationOfClassesHasAllMetrics() throws IOException {
    Path run = train(IRIS, "--epochs", "30");
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), IRIS, "--json", json.toString());
    assertEquals(0, evaluated.code(), evaluated.err());
    for (String word : List.of("loss ", "accuracy ", "precision", "recall", "f1", "setosa", "actual \\ predicted")) {
      assertTrue(evaluated.out().contains(word), evaluated.out());
    }
    JsonNode scores = new ObjectMapper().readTree(json.toFile());
    long correct = 0;
    for (int c = 0; c < 3; c++) {
      correct += scores.get("classes").get(c).get("takenFor").get(c).longValue();
    }
    assertEquals(correct / 150.0, scores.get("accuracy").doubleValue());
  }

  @Test
  void numbersArePredictedInTheirOwnUnits() throws IOException {
    String diabetes = TABLES.resolve("diabetes.csv").toString();
    Path run = train(diabetes, "--epochs", "20");
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), diabetes);
    assertTrue(evaluated.out().contains("rmse") && evaluated.out().contains("progression"), evaluated.out());
    List<String> lines = Plumbed.run("predict", run.toString(), diabetes).out().lines().toList();
    assertEquals("progression", lines.get(0));
    double mean = lines.stream().skip(1).mapToDouble(Double::parseDouble).average().orElseThrow();
    assertTrue(mean > 100 && mean < 200, "mean " + mean + ", the table's is 152");
  }

  @Test
  void exportFormatFollowsTheFileExtension() throws IOException {
    Path run = train(IRIS, "--epochs", "1");
    for (String name : List.of("a.onnx", "a.safetensors", "a.npz")) {
      Path file = folder.resolve(name);
      Plumbed exported = Plumbed.run("export", run.toString(), file.toString());
      assertEquals(0, exported.code(), exported.err());
      assertTrue(Files.size(file) > 1000, name);
    }
    Path file = folder.resolve("model.bin");
    assertEquals(0, Plumbed.run("export", run.toString(), file.toString(), "--format", "npz").code());
    assertArrayEquals(Files.readAllBytes(folder.resolve("a.npz")), Files.readAllBytes(file));
  }

  @Test
  void oneOutputCanClassifyTwoClasses() throws IOException {
    String cancer = TABLES.resolve("breast_cancer.csv").toString();
    Path run = train(cancer, "--loss", "binary_cross_entropy", "--epochs", "20");
    Plumbed evaluated = Plumbed.run("evaluate", run.toString(), cancer);
    double accuracy = Double.parseDouble(evaluated.out().lines().filter(line -> line.startsWith("accuracy")).findFirst().orElseThrow()
        .split(" +")[1]);
    assertTrue(accuracy > 0.95, evaluated.out());
  }

  @Test
  void divergedTrainingIsReportedWithARemedyAndExitsWithOne() {
    Plumbed ran = Plumbed.run(command(TABLES.resolve("diabetes.csv").toString(),
        List.of("--optimizer", "sgd", "--lr", "1e30", "--epochs", "5")));
    assertEquals(1, ran.code(), ran.err());
    assertTrue(ran.err().contains("plumb train: training diverged: values are not finite in epoch 1; try --lr below 1.0E30"),
        ran.err());
    Path run = folder.resolve("runs/diabetes-1");
    assertEquals("plumb predict: " + run + ": the run diverged before it had a model; train again with a lower --lr or with --clip-norm 1\n",
        Plumbed.run("predict", run.toString(), TABLES.resolve("diabetes.csv").toString()).err());
  }

  @Test
  void progressHasOneLinePerEpochAndNoneWithQuiet() {
    Plumbed loud = Plumbed.run(command(IRIS, List.of("--epochs", "2")));
    assertTrue(loud.err().startsWith("epoch 1/2  loss "), loud.err());
    Plumbed quiet = Plumbed.run(command(IRIS, List.of("--epochs", "2", "--quiet")));
    assertEquals("", quiet.err());
    assertFalse(quiet.out().isEmpty());
  }

  private String[] command(String data, List<String> options, String... more) {
    List<String> command = new ArrayList<>(List.of("train", data, "--runs", folder.resolve("runs").toString()));
    if (!options.contains("--device")) {
      command.addAll(List.of("--device", "cpu"));
    }
    command.addAll(options);
    command.addAll(List.of(more));
    return command.toArray(String[]::new);
  }

  /** @return the run folder */
  private Path train(String data, String... options) {
    Plumbed ran = Plumbed.run(command(data, List.of(options), "--quiet"));
    assertEquals(0, ran.code(), ran.err());
    return Path.of(ran.out().lines().filter(line -> line.startsWith("run: ")).findFirst().orElseThrow().substring(5));
  }
}
