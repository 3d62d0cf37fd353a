package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Backends;
import dev.plumb.check.FaultyBackend;
import dev.plumb.check.Quantity;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code plumb check} and {@code plumb study --check-every} on a correct and on a faulty device. */
class CrossCheckTest {
  private static final FaultyBackend.Fault NONE = null;
  private static final FaultyBackend.Fault WRONG_DELTA =
      new FaultyBackend.Fault(Quantity.DELTA, 1, 0, 3, 0, value -> value + 0.5);
  private static final FaultyBackend.Fault LATE_GRADIENT =
      new FaultyBackend.Fault(Quantity.GRADIENT, 0, 0, 3, 7, value -> value + 0.5);

  private record Ran(int code, String out, String err) {}

  @TempDir
  Path folder;

  @Test
  void correctDeviceAgreesInEveryTensor() {
    Ran ran = plumb(NONE, "check", "--layers", "3,4,1");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertTrue(ran.out().startsWith("device: cpu (faulty), for this test\ncheck: 3-4-1 tanh, loss mse, optimizer sgd, 33 samples, "
        + "initializer pytorch, fp32\n"), ran.out());
    for (String row : new String[] {"0 layers.0.pre 33x4 132 0", "10 layers.1.delta 33x1 33 0", "0 loss 1 1 0",
        "10 layers.0.weight gradient 4x3 12 0", "10 layers.0.bias 4 4 0"}) {
      assertTrue(ran.out().lines().anyMatch(line -> line.strip().replaceAll(" +", " ").startsWith(row)),
          row + " in " + ran.out());
    }
    assertTrue(ran.out().endsWith("compared values agree with the reference\n"), ran.out());
    assertFalse(ran.out().contains("finite differences"), "they need double precision");
  }

  @Test
  void dropoutIsCheckedAlsoWithFiniteDifferences() {
    Ran ran = plumb(NONE, "check", "--layers", "3,9,5,1", "--precision", "fp64", "--dropout", "0.4");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().contains("3-9-5-1 tanh, loss mse, optimizer sgd, dropout 0.4, 33 samples"), ran.out());
    assertTrue(ran.out().endsWith("compared gradients agree with finite differences\n"), ran.out());
    Ran refused = plumb(NONE, "check", "--dropout", "1");
    assertEquals(2, refused.code());
    assertTrue(refused.err().contains("--dropout") && refused.err().contains("at least 0 and below 1"), refused.err());
  }

  @Test
  void doublePrecisionIsAlsoCheckedWithFiniteDifferences() {
    Ran ran = plumb(NONE, "check", "--layers", "3,4,1", "--precision", "fp64", "--optimizer", "adam");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().contains("compared values agree with the reference\n"), ran.out());
    assertTrue(ran.out().endsWith("compared gradients agree with finite differences\n"), ran.out());
    assertTrue(ran.out().contains("layers.0.weight moment2"), ran.out());
  }

  @ParameterizedTest
  @CsvSource({"fail, 1", "report, 2", "histogram, 1"})
  void wrongDeviceIsNamedInEveryMode(String mode, int lines) throws IOException {
    Path json = folder.resolve("out.json");
    Ran ran = plumb(WRONG_DELTA, "check", "--layers", "3,4,4,1", "--mode", mode, "--json", json.toString());
    assertEquals(1, ran.code());
    assertTrue(ran.err().startsWith("plumb check: 3-4-4-1 tanh, step 0, replica 0, layer 1, layers.1.delta[0,3]: cpu 0."),
        ran.err());
    assertEquals(lines, ran.err().lines().count(), ran.err());
    assertTrue(ran.out().lines().filter(line -> line.contains("WRONG")).count() == 2, ran.out());
    assertEquals(mode.equals("histogram"), ran.out().contains("range of error/tolerance"), ran.out());
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertFalse(written.get("ok").booleanValue());
    assertEquals("fp32", written.get("precision").textValue());
    JsonNode delta = written.get("crossCheck").get(7);
    assertEquals("layers.1.delta", delta.get("tensor").textValue());
    assertEquals("wrong", delta.get("verdict").textValue());
    assertEquals(3, delta.get("worstIndex").intValue());
    assertEquals(0.5, delta.get("device").doubleValue() - delta.get("reference").doubleValue(), 1e-9);
  }

  @Test
  void divergedTrainingIsReportedInOneLine() {
    Ran ran = plumb(NONE, "check", "--lr", "1e38");
    assertEquals(1, ran.code());
    assertTrue(ran.err().startsWith("plumb check: training diverged within 10 steps"), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void studyThatAgreesEndsWithASummary() throws IOException {
    Ran plain = study(NONE);
    Ran ran = study(NONE, "--check-every", "4");
    assertEquals(0, ran.code(), ran.err());
    assertEquals(plain.out(), ran.out(), "checking changes nothing");
    assertTrue(ran.err().startsWith("plumb study: 6 steps checked against the reference, all within bounds; the largest error: "),
        ran.err());
    assertEquals("", study(NONE, "--check-every", "4", "--quiet").err());
  }

  @Test
  void studyStopsAtTheFirstWrongTensorOrContinuesByMode() throws IOException {
    Ran fail = study(LATE_GRADIENT, "--check-every", "4");
    assertEquals(1, fail.code());
    assertTrue(fail.err().startsWith("plumb study: 3-2-1 tanh, step 8, replica 0, layer 0, layers.0.weight gradient[1,0]"),
        fail.err());
    assertEquals(1, fail.err().lines().count(), fail.err());
    assertFalse(fail.out().contains("final loss"), fail.out());

    Ran report = study(LATE_GRADIENT, "--check-every", "4", "--check-mode", "report");
    assertEquals(1, report.code());
    assertTrue(report.out().contains("final loss"), report.out());
    assertTrue(report.err().contains(" out of bounds; the largest error: "), report.err());

    Ran histogram = study(LATE_GRADIENT, "--check-every", "4", "--check-mode", "histogram");
    assertEquals(1, histogram.code());
    assertTrue(histogram.err().startsWith("range of error/tolerance  values\n"), histogram.err());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "study --check-every 0 | plumb study: --check-every 0: must be an integer from 1",
    "study --check-mode report | plumb study: --check-mode requires --check-every",
    "study --check-every 1 --check-mode warn | plumb study: --check-mode: unknown mode \"warn\"; one of fail, report, histogram",
    "study --check-every 1 | plumb study: --check-every: the device is the reference itself, so there is nothing",
    "check --precision fp32 | plumb check: --precision fp32: device reference computes only in fp64",
    "check --mode warn | plumb check: --mode: unknown mode \"warn\"; one of fail, report, histogram",
  })
  void badCommandLineIsReportedInOneLine(String arguments, String start) {
    Ran ran = plumb(Main::run, (arguments + " --device reference").split(" "));
    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().startsWith(start), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  private Ran study(FaultyBackend.Fault fault, String... options) throws IOException {
    Path spec = Files.writeString(folder.resolve("spec.json"), "{\"epochs\": 10, \"data\": {\"samples\": 9}, \"networks\": ["
        + "{\"name\": \"a\", \"layers\": [3,2,1], \"activation\": \"tanh\"},"
        + "{\"name\": \"b\", \"layers\": [3,2,2,1], \"activation\": \"relu\"}]}");
    String[] all = new String[options.length + 2];
    all[0] = "study";
    all[1] = spec.toString();
    System.arraycopy(options, 0, all, 2, options.length);
    return plumb(fault, all);
  }

  private static Ran plumb(FaultyBackend.Fault fault, String... arguments) {
    return plumb((args, out, err) -> Main.run(
        (device, usage) -> new Backends.Selection(new FaultyBackend(fault), "for this test"), args, out, err), arguments);
  }

  private interface Program {
    int run(String[] arguments, PrintStream out, PrintStream err);
  }

  private static Ran plumb(Program program, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = program.run(arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
