package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands on CUDA, here the host device. */
@Tag("cuda")
@Tag("host-device")
class CudaCommandLineTest {
  private record Ran(int code, String out, String err) {
    /** Activation and figures of the study's rows, with single spaces. */
    List<String> figures() {
      return out.lines().filter(line -> line.contains("Model ") && !line.startsWith("note"))
          .map(line -> line.replaceFirst(".*(relu|sigmoid) +", "$1 ").replaceAll(" +", " ")).toList();
    }
  }

  @TempDir Path folder;

  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  @AfterEach
  void reset() {
    HostDevice.reset();
  }

  @Test
  void studyPrintsTheNotebooksDigits() {
    Ran ran = plumb("study", "--device", "cuda");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().startsWith("device: cuda (host device (CPU, for tests)), as asked for\n"), ran.out());
    assertFalse((ran.out() + ran.err()).contains("note:"), ran.out() + ran.err());
    assertEquals(0, HostDevice.count(Counter.GEMMS), "each network is trained whole by one block");
    assertEquals(List.of(
        "relu 0.4938 0.1115 0.045217 0.045217",
        "relu 0.3220 0.0728 0.036609 0.021441",
        "relu 0.8620 0.0304 0.023876 0.016801",
        "relu 1.6349 0.0528 0.429784 0.621290",
        "sigmoid 1.7439 1.7439 0.000006 0.000006"), ran.figures());
  }

  /** Losses to four decimals, of all but D with relu, of which the first line says that it cannot be. */
  @Test
  void studyInSinglePrecisionPrintsTheNotebooksLossesExceptModelD() {
    Ran ran = plumb("study", "--device", "cuda", "--precision", "fp32");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("note: fp32 cannot reproduce the notebook's digits for Model D - Very Deep (ReLU), where a change of one"
        + " initial weight by 1e-7 moves the final loss by 4e-3; use --precision fp64",
        ran.out().lines().skip(2).findFirst().orElseThrow());
    List<String> figures = ran.figures();
    assertEquals(5, figures.size());
    assertTrue(figures.get(0).startsWith("relu 0.4938 0.1115 "), figures.get(0));
    assertTrue(figures.get(1).startsWith("relu 0.3220 0.0728 "), figures.get(1));
    assertTrue(figures.get(2).startsWith("relu 0.8620 0.0304 "), figures.get(2));
    assertTrue(figures.get(4).startsWith("sigmoid 1.7439 1.7439 "), figures.get(4));
  }

  @Test
  void autoChoosesTheUsableDevice() throws IOException {
    Ran ran = plumb("study", smallSpec().toString(), "--check-every", "2");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().startsWith("device: cuda (host device (CPU, for tests)), a GPU that can be used\n"), ran.out());
  }

  @Test
  void benchMeasuresTheGpuAndTheCpu() {
    BenchCommandTest.Ran ran = BenchCommandTest.bench("S2", "--quick", "--threads", "1");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().lines().anyMatch(line -> line.startsWith("S2        cpu ")), ran.out());
    assertTrue(ran.out().lines().anyMatch(line -> line.matches(
        "S2 +fused +1 +fp32 +samples/s +[0-9.]+ +\\[[0-9.]+, [0-9.]+\\] .*")), ran.out());
  }

  @ParameterizedTest
  @CsvSource({
    "fp64, tanh, mse, sgd, 0", "fp32, relu, cross_entropy, adam, 0.5", "fp64, gelu, binary_cross_entropy, rmsprop, 0.2",
    "fp32, silu, huber, adamw, 0", "tf32, elu, mae, sgd, 0",
    "bf16, relu, mse, adamw, 0.5", "bf16, tanh, cross_entropy, sgd, 0",
  })
  void checkAgreesWithTheReference(String precision, String activation, String loss, String optimizer, String dropout) {
    Ran ran = plumb("check", "--device", "cuda", "--precision", precision, "--activation", activation, "--loss", loss,
        "--optimizer", optimizer, "--layers", "3,7,33,2", "--dropout", dropout);
    assertEquals(0, ran.code(), ran.out() + ran.err());
    assertTrue(ran.out().contains("compared values agree with the reference"), ran.out());
    assertEquals(precision.equals("fp64"), ran.out().contains("compared gradients agree with finite differences"), ran.out());
  }

  @ParameterizedTest
  @CsvSource({"fused, fused", "layered, layered", "auto, fused"})
  void checkPrintsThePlannerThatRan(String asked, String ran) {
    Ran check = plumb("check", "--device", "cuda", "--planner", asked, "--layers", "3,33,5", "--steps", "2");
    assertEquals(0, check.code(), check.out() + check.err());
    assertTrue(check.out().contains("planner: " + ran + "\n"), check.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"check --device cuda --planner fused --layers 3,128,128,1", "study --device cuda --planner fused"})
  void plannerThatCannotTakeTheNetworkIsRefusedWithTheLimit(String command) throws IOException {
    List<String> words = new ArrayList<>(List.of(command.split(" ")));
    if (words.get(0).equals("study")) {
      words.add(1, Files.writeString(folder.resolve("wide.json"), "{\"epochs\": 2, \"lossAtEpochs\": [1], \"networks\": ["
          + "{\"name\": \"Wide\", \"layers\": [3,128,128,1], \"activation\": \"relu\"}]}").toString());
    }
    Ran ran = plumb(words.toArray(String[]::new));
    assertEquals(2, ran.code(), ran.out() + ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
    assertTrue(ran.err().contains("the fused planner cannot take 3-128-128-1: "), ran.err());
    assertTrue(ran.err().contains("232448"), ran.err());
  }

  @ParameterizedTest
  @CsvSource({"MEMORY, 6, 3, not enough memory", "LOST, 90, 3, the GPU was lost", "LAUNCH, 1, 70, the GPU failed"})
  void failureIsReportedInOneLineAndNoFileIsPartlyWritten(Fault fault, int n, int code, String words) throws IOException {
    HostDevice.quiet(true);
    Path json = folder.resolve("out.json");
    String spec = smallSpec().toString();
    HostDevice.fault(fault, n);
    Ran ran = plumb("study", spec, "--device", "cuda", "--json", json.toString());
    assertEquals(code, ran.code(), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
    assertTrue(ran.err().startsWith("plumb study: ") && ran.err().contains(words), ran.err());
    assertFalse(Files.exists(json));
    assertEquals("", HostDevice.left());
  }

  @Test
  void unsupportedPrecisionIsRefusedBeforeTraining() throws IOException {
    Ran ran = plumb("study", smallSpec().toString(), "--device", "cuda", "--planner", "fused", "--precision", "bf16");
    assertEquals(2, ran.code());
    assertTrue(ran.err().contains("the fused planner does not support bf16: choose the planner auto or layered"), ran.err());
  }

  @Test
  void noGraphPrintsTheSame() throws IOException {
    String spec = smallSpec().toString();
    assertEquals(plumb("study", spec, "--device", "cuda").figures(),
        plumb("study", spec, "--device", "cuda", "--no-graph").figures());
  }

  private Path smallSpec() throws IOException {
    return Files.writeString(folder.resolve("small.json"), "{\"epochs\": 9, \"batchSize\": 3, \"data\": {\"samples\": 10},"
        + " \"networks\": [{\"name\": \"Model S\", \"layers\": [3,2,1], \"activation\": \"relu\"}]}");
  }

  @Test
  void gridMatchesTheReference() throws IOException {
    Path spec = folder.resolve("grid.json");
    Files.writeString(spec, """
        { "name": "g", "epochs": 20, "lossAtEpochs": [10],
          "grid": {"depth": [1, 2], "width": [4], "activation": ["relu", "tanh"], "learningRate": [0.01, 0.05], "seeds": 2} }
        """);
    List<List<String>> rows = new ArrayList<>();
    for (String device : List.of("cuda", "reference")) {
      Path csv = folder.resolve(device + ".csv");
      Ran ran = plumb("study", spec.toString(), "--device", device, "--quiet", "--csv", csv.toString(),
          "--log", folder.resolve(device + ".runs").toString());
      assertEquals(0, ran.code(), ran.err());
      rows.add(Files.readAllLines(csv));
    }
    assertEquals(17, rows.get(0).size());
    int loss = List.of(rows.get(0).get(0).split(",")).indexOf("final_loss");
    for (int row = 1; row < 17; row++) {
      String[] device = rows.get(0).get(row).split(",");
      String[] reference = rows.get(1).get(row).split(",");
      assertEquals(List.of(reference).subList(0, 3), List.of(device).subList(0, 3));
      double expected = Double.parseDouble(reference[loss]);
      assertEquals(expected, Double.parseDouble(device[loss]), 1e-10 * expected, rows.get(0).get(row));
    }
  }

  @Test
  void tableIsTrainedOnTheGpuAndPredictedWithoutIt() throws IOException {
    String iris = Path.of("src/test/resources/tables/iris.csv").toAbsolutePath().toString();
    Ran trained = plumb("train", iris, "--device", "cuda", "--epochs", "3", "--dropout", "0.1", "--quiet", "--runs",
        folder.toString());
    assertEquals(0, trained.code(), trained.err());
    List<String> predicted = new ArrayList<>();
    for (String device : List.of("cuda", "reference")) {
      Ran ran = plumb("predict", folder.resolve("iris-1").toString(), iris, "--device", device, "--quiet");
      assertEquals(0, ran.code(), ran.err());
      predicted.add(ran.out().lines().map(line -> line.split(",")[0]).toList().toString());
    }
    assertEquals(predicted.get(1), predicted.get(0));
  }

  /** A bf16 model is evaluated in bf16 if the device supports it, otherwise in fp32, and in any precision that is requested. */
  @Test
  void tableIsTrainedInBf16AndPredictedInAnyPrecision() throws IOException {
    String iris = Path.of("src/test/resources/tables/iris.csv").toAbsolutePath().toString();
    Ran trained = plumb("train", iris, "--device", "cuda", "--precision", "bf16", "--epochs", "3", "--layers", "9", "--quiet",
        "--runs", folder.toString());
    assertEquals(0, trained.code(), trained.err());
    String model = folder.resolve("iris-1").toString();
    String rounded = predicted(model, iris, "--device", "cuda");
    assertEquals(rounded, predicted(model, iris, "--device", "cuda", "--precision", "bf16"));
    String single = predicted(model, iris, "--device", "cuda", "--precision", "fp32");
    assertNotEquals(rounded, single);
    String onCpu = predicted(model, iris, "--device", "cpu");
    assertEquals(onCpu, predicted(model, iris, "--device", "cpu", "--precision", "fp32"));
    Ran noted = plumb("predict", model, iris, "--device", "cpu", "--out", folder.resolve("out.csv").toString());
    assertTrue(noted.err().contains("note: the model was trained in bf16, which this device does not support; it computes in fp32\n"),
        noted.err());
    Ran refused = plumb("predict", model, iris, "--device", "cpu", "--precision", "bf16");
    assertEquals(2, refused.code());
    assertEquals("plumb predict: precision bf16 is not supported on a CPU: use fp32 or fp64\n", refused.err());
  }

  private static String predicted(String... arguments) {
    List<String> words = new ArrayList<>(List.of(arguments));
    words.addAll(0, List.of("predict", "--quiet"));
    Ran ran = plumb(words.toArray(String[]::new));
    assertEquals(0, ran.code(), ran.err());
    return ran.out();
  }

  private static Ran plumb(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run(arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
