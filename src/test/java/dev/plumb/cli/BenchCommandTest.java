package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.bench.TrainingInputs.Source;
import dev.plumb.bench.Workload;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StepsWorkload.Bound;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.bench.Workload.Unit;
import dev.plumb.golden.Golden;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudySpec;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of {@code plumb bench} with workloads that take almost no time; the measured values do not matter. */
class BenchCommandTest {
  static final List<Workload> SMALL = List.of(
      new StudyWorkload("S1", "a small study", new StudySpec("small", 10, 1, Initializer.NOTEBOOK,
          TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3), true, List.of(),
          List.of(new StudyNetwork("one", NetworkSpec.of(Activation.TANH, 3, 4, 1))))),
      new StepsWorkload("S2", "a few steps", NetworkSpec.of(Activation.RELU, 5, 70, 60, 2),
          TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 2).withPrecision(Precision.FP32),
          1, Source.RANDOM, 9, Bound.PRODUCTS, Unit.SAMPLES, 1));

  record Ran(int code, String out, String err) {}

  @TempDir
  Path folder;

  @Test
  void everyWorkloadIsMeasuredWithOneAndAllThreadsAndWrittenAsJson() throws IOException {
    Path file = folder.resolve("bench.json");
    Ran ran = bench("--quick", "--threads", "3", "--device", "cpu", "--json", file.toString());
    assertEquals(0, ran.code(), ran.err());
    List<String> lines = ran.out().lines().toList();
    assertTrue(lines.get(0).startsWith("machine: "), ran.out());
    assertTrue(lines.get(1).startsWith("matrix products: OpenBLAS "), ran.out());
    String figure = "[0-9.]+ +\\[[0-9.]+, [0-9.]+\\] +";
    for (String row : new String[] {"multiply-add in Java, fp64 +GFLOP/s +1 +" + figure,
        "multiply-add in Java, fp64 +GFLOP/s +3 +" + figure,
        "S2, all products of a step +GFLOP/s +1 +" + figure,
        "S2, all products of a step +GFLOP/s +3 +" + figure,
        "S2, all products of a step +GFLOP/s +3 +" + figure + "[a-zA-Z].+",
        "S1 +cpu +1 +s +" + figure + figure + figure + "- +multiply-add peak",
        "S1 +cpu +3 +s +" + figure + figure + figure + "- +multiply-add peak",
        "S2 +cpu +1 +samples/s +" + figure + figure + figure + "[0-9.]+ +bare products, whole",
        "S2 +cpu +3 +samples/s +" + figure + figure + figure + "[0-9.]+ +bare products, .+",
        "S2: a few steps"}) {
      assertTrue(lines.stream().anyMatch(line -> (line + " ").matches(row + " *")), row + " in\n" + ran.out());
    }
    assertTrue(ran.err().lines().anyMatch("plumb bench: S2 on cpu, 3 threads"::equals), ran.err());

    JsonNode written = new ObjectMapper().readTree(file.toFile());
    assertEquals(Version.CURRENT, written.get("plumb").textValue());
    assertTrue(written.get("complete").booleanValue());
    assertTrue(written.get("machine").get("library").textValue().startsWith("OpenBLAS "));
    JsonNode others = written.get("machine").get("othersBusy");
    assertTrue(others.isNull() || others.doubleValue() >= 0, others.toString());
    assertEquals(!others.isNull(), ran.out().contains("background load: "), ran.out());
    assertEquals(2, written.get("runs").intValue());
    assertFalse(written.get("wholeRuns").booleanValue());
    for (JsonNode ceiling : written.get("ceilings")) {
      assertIsFigure(ceiling.get("rate"));
      assertTrue(ceiling.get("threads").intValue() == 1 || ceiling.get("threads").intValue() == 3, ceiling.toString());
    }
    assertEquals(4, written.get("workloads").size());
    for (JsonNode workload : written.get("workloads")) {
      assertEquals("cpu", workload.get("device").get("kind").textValue());
      assertIsFigure(workload.get("achieved"));
      assertIsFigure(workload.get("ceiling"));
      assertIsFigure(workload.get("ratio"));
      assertEquals(workload.get("name").textValue().equals("S1"), workload.get("sessionBytes").isNull());
    }
    assertEquals("samples/s", written.get("workloads").get(3).get("unit").textValue());
    assertEquals(3, written.get("workloads").get(3).get("threads").intValue());
  }

  private static void assertIsFigure(JsonNode figure) {
    double[] runs = Golden.flat(figure.get("runs"));
    assertEquals(2, runs.length);
    assertEquals((runs[0] + runs[1]) / 2, figure.get("median").doubleValue(), 1e-12 * runs[0]);
    assertEquals(Math.min(runs[0], runs[1]), figure.get("min").doubleValue());
    assertEquals(Math.max(runs[0], runs[1]), figure.get("max").doubleValue());
  }

  /** The second workload diverges, which ends the benchmark. */
  @Test
  void benchmarkThatEndsEarlyKeepsItsResults() throws IOException {
    Path file = folder.resolve("bench.json");
    StepsWorkload steps = (StepsWorkload) SMALL.get(1);
    StepsWorkload wild = new StepsWorkload("S3", "wild steps", steps.network(),
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 1e30, 20).withPrecision(Precision.FP32), 1,
        Source.RANDOM, 9, Bound.PRODUCTS, Unit.SAMPLES, 1);
    BenchCommand command =
        new BenchCommand(new DeviceChoice(Backends::open), List.of(SMALL.get(0), wild), reduced -> List.of());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<String> arguments = List.of("--quick", "--threads", "1", "--device", "cpu", "--json", file.toString(), "--quiet");
    assertThrows(IllegalStateException.class, () -> command.run(
        Arguments.parse(command.options(), arguments), new PrintStream(new BufferedOutputStream(out)), System.err));
    String printed = out.toString(StandardCharsets.UTF_8);
    assertTrue(printed.contains("multiply-add in Java, fp64"), printed);
    assertTrue(printed.lines().anyMatch(line -> line.startsWith("S1 ")), printed);
    JsonNode written = new ObjectMapper().readTree(file.toFile());
    assertFalse(written.get("complete").booleanValue());
    assertTrue(written.get("ceilings").size() > 0);
    assertEquals(1, written.get("workloads").size());
    assertEquals("S1", written.get("workloads").get(0).get("name").textValue());
  }

  @Test
  void onlyNamedWorkloadsAreMeasured() {
    Ran ran = bench("S2", "--quick", "--threads", "1", "--device", "cpu", "--quiet");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertTrue(ran.out().contains("S2: a few steps"), ran.out());
    assertFalse(ran.out().contains("S1"), ran.out());
  }

  @Test
  void referenceRunsOnlyStudies() {
    Ran ran = bench("--quick", "--device", "reference");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().lines().anyMatch(line -> line.matches("S1 +reference +1 +s .* - +multiply-add peak")), ran.out());
    assertFalse(ran.out().contains("S2"), ran.out());
    assertFalse(ran.out().contains("matrix products"), ran.out());
    String message = assertThrows(InvalidInputException.class, () -> bench("S2", "--device", "reference")).getMessage();
    assertTrue(message.contains("reference") && message.contains("S2"), message);
  }

  @Test
  void withoutADeviceAGpuIsMeasuredTooIfOneCanBeUsed() {
    Ran none = bench((device, usage) -> device.equals("auto")
        ? new Backends.Selection(Backends.reference(), "no GPU at all") : Backends.open(device, usage), "S1", "--quick");
    assertEquals(0, none.code());
    assertTrue(none.err().contains("measuring no GPU: no GPU at all"), none.err());
    assertFalse(none.out().contains("reference"), none.out());
  }

  @Test
  void gpuWorkloadIsRefusedOnOtherDevices() {
    for (String device : new String[] {"cpu", "reference"}) {
      assertEquals("workload G4 needs a GPU; use --device cuda, or choose from W1, W2, W3, W4",
          assertThrows(InvalidInputException.class, () -> fullBench(Backends::open, "G4", "--device", device)).getMessage());
    }
    assertEquals("workload G1 needs a GPU, but none can be used: no GPU at all",
        assertThrows(DeviceUnavailableException.class, () -> fullBench(
            (device, usage) -> new Backends.Selection(Backends.reference(), "no GPU at all"), "G1", "--quick")).getMessage());
  }

  private static Ran fullBench(DeviceChoice.Opener devices, String... arguments) {
    return run(new BenchCommand(new DeviceChoice(devices)), arguments);
  }

  @Test
  void unknownWorkloadErrorListsTheKnownOnes() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run(new String[] {"bench", "W1", "W9"}, new PrintStream(new ByteArrayOutputStream()),
        new PrintStream(err, true, StandardCharsets.UTF_8));
    assertEquals(2, code);
    assertEquals("plumb bench: unknown workload \"W9\" (did you mean \"W1\"?); the workloads are W1, W2, W3, W4, G1, G2, G3, G4",
        err.toString(StandardCharsets.UTF_8).strip());
  }

  static Ran bench(String... arguments) {
    return bench(Backends::open, arguments);
  }

  private static Ran bench(DeviceChoice.Opener devices, String... arguments) {
    return run(new BenchCommand(new DeviceChoice(devices), SMALL, reduced -> List.of()), arguments);
  }

  static Ran run(BenchCommand command, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (PrintStream toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream toErr = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      int code = command.run(Arguments.parse(command.options(), List.of(arguments)), toOut, toErr);
      return new Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
  }
}
