package dev.plumb.cli;

import static dev.plumb.golden.Close.assertRelative;
import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Version;
import dev.plumb.golden.Golden;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line: arguments in; exit code, stdout and stderr out. */
class MainTest {
  private record Ran(int code, String out, String err) {}

  @TempDir Path folder;

  // The notebook

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void studyPrintsTheNotebooksDigitsAndWritesThemInFull(String device) throws IOException {
    Path json = folder.resolve("out.json");
    Ran ran = plumb("study", "--device", device, "--json", json.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertTrue(ran.out().startsWith("device: " + device + " ("), ran.out());
    List<String> figures = ran.out().lines().skip(4).map(line -> line.replaceFirst(".*(relu|sigmoid) +", "$1 ")
        .replaceAll(" +", " ")).toList();
    assertEquals(List.of(
        "relu 0.4938 0.1115 0.045217 0.045217",
        "relu 0.3220 0.0728 0.036609 0.021441",
        "relu 0.8620 0.0304 0.023876 0.016801",
        "relu 1.6349 0.0528 0.429784 0.621290",
        "sigmoid 1.7439 1.7439 0.000006 0.000006"), figures);

    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(Version.CURRENT, written.get("plumb").textValue());
    assertEquals(device, written.get("device").get("kind").textValue());
    assertEquals("fp64", written.get("precision").textValue());
    assertRunsAre(Golden.read("notebook-seed42.json"), written);
  }

  @Test
  void autoUsesTheCpuIfThereIsNoGpuAndSaysWhy() throws IOException {
    Path spec = file("spec.json", "{\"epochs\": 2, \"networks\": [{\"layers\": [3,4,1], \"activation\": \"relu\"}]}");
    Ran ran = plumb("study", spec.toString(), "--threads", "3");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    boolean cpu = ran.out().startsWith("device: cpu (3 threads), the GPU cannot be used: ");
    assertTrue(cpu || ran.out().startsWith("device: cuda ("), ran.out());
  }

  @Test
  void resultsDoNotDependOnTheNumberOfThreads() throws IOException {
    Path one = folder.resolve("one.json");
    Path three = folder.resolve("three.json");
    assertEquals(0, plumb("study", "--device", "cpu", "--threads", "1", "--json", one.toString()).code());
    assertEquals(0, plumb("study", "--device", "cpu", "--threads", "3", "--json", three.toString()).code());
    JsonNode first = new ObjectMapper().readTree(one.toFile()).get("runs");
    JsonNode second = new ObjectMapper().readTree(three.toFile()).get("runs");
    assertEquals(5, first.size());
    for (int i = 0; i < 5; i++) {
      for (String key : List.of("name", "lossAtEpoch", "finalLoss", "gradNormPerLayer")) {
        assertEquals(first.get(i).get(key), second.get(i).get(key), key);
      }
    }
  }

  @Test
  void studyOfSixActivationsMatchesTheGoldenFile() throws IOException {
    Path spec = file("spec.json", """
        {"epochs": 300, "lossAtEpochs": [1, 51, 101, 151, 200, 201, 251, 300], "networks": [
          {"layers": [3,6,5,1], "activation": "relu"}, {"layers": [3,6,5,1], "activation": "sigmoid"},
          {"layers": [3,6,5,1], "activation": "tanh"}, {"layers": [3,6,5,1], "activation": "leaky_relu"},
          {"layers": [3,6,5,1], "activation": "softplus"}, {"layers": [3,6,5,1], "activation": "linear"}]}""");
    Path json = folder.resolve("out.json");
    Ran ran = plumb("study", spec.toString(), "--json", json.toString());
    assertEquals(0, ran.code(), ran.err());
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(8, written.get("runs").get(0).get("lossAtEpoch").size());
    assertRunsAre(Golden.read("activations-seed42.json"), written);
  }

  /** Compares every number in full precision, with a relative tolerance of 1e-11. */
  private static void assertRunsAre(JsonNode golden, JsonNode written) {
    assertEquals(golden.get("nets").size(), written.get("runs").size());
    for (int i = 0; i < golden.get("nets").size(); i++) {
      JsonNode expected = golden.get("nets").get(i);
      JsonNode run = written.get("runs").get(i);
      String name = run.get("name").textValue();
      assertEquals(expected.get("layers"), run.get("layers"));
      run.get("lossAtEpoch").properties().forEach(loss -> assertRelative(name + " loss at " + loss.getKey(),
          expected.get("lossAtEpoch").get(loss.getKey()).doubleValue(), loss.getValue().doubleValue(), 1e-11));
      assertRelative(name, expected.get("finalLoss").doubleValue(), run.get("finalLoss").doubleValue(), 1e-11);
      assertRelative(name, expected.get("gradNormL1").doubleValue(), run.get("gradNormFirst").doubleValue(), 1e-11);
      assertRelative(name, expected.get("gradNormLast").doubleValue(), run.get("gradNormLast").doubleValue(), 1e-11);
      assertRelativeToLargest(name, Golden.flat(expected.get("gradNormPerLayerLastEpoch")),
          Golden.flat(run.get("gradNormPerLayer")), 1e-11);
    }
  }

  // Other outputs of a study

  @Test
  void manySeedsGiveMedianAndQuartiles() throws IOException {
    Path spec = file("spec.json", "{\"epochs\": 5, \"data\": {\"samples\": 10}, \"networks\": ["
        + "{\"name\": \"n\", \"layers\": [3,2,1], \"activation\": \"tanh\"}]}");
    Path json = folder.resolve("out.json");
    Ran ran = plumb("study", spec.toString(), "--seeds", "5", "--seed", "9", "--json", json.toString());
    assertEquals(0, ran.code(), ran.err());
    JsonNode runs = new ObjectMapper().readTree(json.toFile()).get("runs");
    assertEquals(5, runs.size());
    double[] sorted = Golden.list(runs).stream().mapToDouble(run -> run.get("finalLoss").doubleValue()).sorted().toArray();
    String expected = Decimal.fixed(sorted[2], 4) + " [" + Decimal.fixed(sorted[1], 4) + ", " + Decimal.fixed(sorted[3], 4) + "]";
    assertTrue(ran.out().contains(expected), expected + " in " + ran.out());
    assertEquals(9, runs.get(0).get("seed").longValue());
    assertEquals(13, runs.get(4).get("seed").longValue());
  }

  @Test
  void studyWritesAReportInAdditionToItsOtherResults() throws IOException {
    Path spec = file("spec.json", "{\"name\": \"<mine>\", \"epochs\": 300, \"data\": {\"samples\": 10}, \"networks\": ["
        + "{\"name\": \"A & B\", \"layers\": [3,4,4,1], \"activation\": \"tanh\"}]}");
    Path json = folder.resolve("out.json");
    Path report = folder.resolve("out.html");
    Ran ran = plumb("study", spec.toString(), "--seeds", "3", "--json", json.toString(), "--report", report.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals(1, new ObjectMapper().readTree(json.toFile()).get("runs").get(0).get("lossAtEpoch").size(),
        "only the epoch of the SPEC");
    String page = Files.readString(report);
    assertTrue(page.startsWith("<!DOCTYPE html>") && page.endsWith("</html>\n"));
    assertTrue(page.contains("<h1>&lt;mine&gt;</h1>") && page.contains("1. A &amp; B") && page.contains("id=\"losses-chart\""),
        page);
    assertTrue(page.contains("<th scope=\"row\">seed</th><td>42 to 44</td>"), page);
  }

  @Test
  void divergingNetworkIsNamedAndTheOthersAreShown() throws IOException {
    Path spec = file("spec.json", "{\"epochs\": 400, \"learningRate\": 0.3, \"data\": {\"samples\": 20}, \"networks\": ["
        + "{\"name\": \"wild\", \"layers\": [3,16,16,16,1], \"activation\": \"linear\"},"
        + "{\"name\": \"tame\", \"layers\": [3,1], \"activation\": \"linear\"},"
        + "{\"name\": \"calm\", \"layers\": [3,2,1], \"activation\": \"sigmoid\"}]}");
    Path json = folder.resolve("out.json");
    Ran ran = plumb("study", spec.toString(), "--json", json.toString());
    assertEquals(1, ran.code());
    assertTrue(ran.err().lines().findFirst().orElseThrow().matches(
        "plumb study: \"wild\" \\(seed 42\\) diverged: not finite from epoch \\d+ of 400; try a learning rate below 0.3"),
            ran.err());
    assertFalse(ran.err().contains("calm"), ran.err());
    assertTrue(ran.out().lines().anyMatch(line -> line.matches("calm .*sigmoid +\\d+\\.\\d{4} .*")), ran.out());
    JsonNode runs = new ObjectMapper().readTree(json.toFile()).get("runs");
    assertTrue(runs.get(0).get("finalLoss").isNull());
    assertTrue(runs.get(0).get("divergedAtEpoch").intValue() > 0);
    assertFalse(runs.get(2).has("divergedAtEpoch"));
  }

  @Test
  void stdoutHasNoControlCharactersFromFiles() throws IOException {
    Path spec = file("spec.json", "{\"epochs\": 1, \"data\": {\"samples\": 4}, \"name\": \"\\u001b[31mred\", \"networks\": ["
        + "{\"name\": \"tab\\there\\n\", \"layers\": [3,1], \"activation\": \"tanh\"}]}");
    Ran ran = plumb("study", spec.toString());
    assertEquals(0, ran.code(), ran.err());
    assertFalse(ran.out().chars().anyMatch(c -> c != '\n' && Character.isISOControl(c)), ran.out());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void fullDiskIsReported() throws IOException {
    Path spec = smallSpec();
    Ran ran = plumb("study", spec.toString(), "--json", "/dev/full");
    assertEquals(2, ran.code());
    assertEquals("plumb study: cannot write /dev/full: No space left on device\n", ran.err());
    assertTrue(ran.out().contains("final loss"), "the table is printed anyway");

    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (PrintStream full = new PrintStream(new FileOutputStream("/dev/full"), true, StandardCharsets.UTF_8)) {
      int code = Main.run(new String[] {"--version"}, full, new PrintStream(err, true, StandardCharsets.UTF_8));
      assertEquals(2, code);
    }
    assertEquals("plumb: standard output cannot be written; the output is incomplete\n", err.toString(StandardCharsets.UTF_8));
  }

  // Check

  @ParameterizedTest
  @ValueSource(strings = {
    "--layers 3,8,8,1 --activation gelu",
    "--layers 3,5,1 --activation relu --data notebook --samples 40",
    "--layers 4,7,3 --activation silu --loss cross_entropy --optimizer adam",
    "--layers 2,3,2 --activation elu --loss binary_cross_entropy --steps 0",
    "--layers 3,6,6,2 --activation tanh --normalization batch --residual",
    "--layers 4,4,5,3 --activation gelu --normalization layer --residual --loss cross_entropy",
  })
  void checkAgreesAndShowsEveryTensor(String options) {
    Ran ran = plumb(("check --device reference --seed 3 " + options).split(" "));
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertTrue(ran.out().contains("layers.0.weight"), ran.out());
    assertTrue(ran.out().strip().matches("(?s).*all \\d+ compared gradients agree with finite differences"), ran.out());
  }

  @Test
  void checkWithoutAnyComparisonFails() {
    // With 200,000 samples, at least one crosses the kink of relu.
    Ran ran = plumb(
        "check --device reference --layers 3,1,1 --activation relu --samples 200000 --steps 0 --seed 1".split(" "));
    assertEquals(1, ran.code());
    assertEquals("plumb check: after 0 steps, layer 0, layers.0.bias: every finite difference crosses a kink or does not converge, so nothing could be "
        + "compared; try wider layers, fewer --samples\n", ran.err());
    assertTrue(ran.out().contains("not checked"), ran.out());
  }

  @Test
  void checkWritesItsResult() throws IOException {
    Path json = folder.resolve("check.json");
    Ran ran = plumb("check", "--device", "reference", "--layers", "3,2,1", "--json", json.toString());
    assertEquals(0, ran.code(), ran.err());
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertTrue(written.get("ok").booleanValue());
    assertEquals(8, written.get("tensors").size());
    JsonNode first = written.get("tensors").get(0);
    JsonNode later = written.get("tensors").get(4);
    assertEquals("layers.1.bias", first.get("tensor").textValue());
    assertEquals("layers.1.bias", later.get("tensor").textValue());
    assertEquals(10, later.get("afterSteps").intValue());
    assertFalse(first.get("gradient").doubleValue() == later.get("gradient").doubleValue(), "training changes the gradient");
  }

  // Bad input: exit code and one line

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "sutdy | 2 | plumb: unknown command \"sutdy\" (did you mean \"study\"?); one of train, evaluate",
    "study --sed 1 | 2 | plumb study: unknown option --sed (did you mean \"--seed\"?)",
    "study --devise=cpu | 2 | plumb study: unknown option --devise (did you mean \"--device\"?)",
    "study --zzzzzzzzz | 2 | plumb study: unknown option --zzzzzzzzz; valid options: --activation, --allow-other-numerics, --batch-size,"
        + " --categorical, --check-every",
    "study -x | 2 | plumb study: unknown option -x",
    "study --seed | 2 | plumb study: --seed requires a value: N",
    "study --seed 1 --seed 2 | 2 | plumb study: --seed is given twice",
    "study --seed -5 | 2 | plumb study: --seed -5: must be an integer from 0 to 4294967295",
    "study --seed 4294967296 | 2 | plumb study: --seed 4294967296: must be an integer from 0",
    "study --seed 1.5 | 2 | plumb study: --seed 1.5: must be an integer",
    "study --seeds 0 | 2 | plumb study: --seeds 0: must be an integer from 1",
    "study --seed 4294967295 --seeds 2 | 2 | plumb study: seed 4294967296 must lie between 0 and 4294967295",
    "study --precision fp46 | 2 | plumb study: --precision: unknown precision \"fp46\" (did you mean \"fp64\"?); one of fp64",
    "study --device reference --precision fp32 | 2 | plumb study: --precision fp32: device reference computes only in fp64",
    "study --device refrence | 2 | plumb study: --device: unknown device \"refrence\" (did you mean \"reference\"?); one of auto",
    "study --device cuda:99 | 3 | plumb study: ",
    "study --device reference --no-graph | 2 | plumb study: --no-graph: applies only to GPUs, not to device reference; omit the option",
    "study --device cuda: | 2 | plumb study: --device: unknown device \"cuda:\"",
    "study --device cpu --no-graph | 2 | plumb study: --no-graph: applies only to GPUs, not to device cpu; omit the option",
    "study --device cpu --planner fused | 2 | plumb study: --planner fused: applies only to GPUs, not to device cpu; omit the option",
    "check --device reference --planner layered | 2 | plumb check: --planner layered: applies only to GPUs, not to device reference",
    "study --planner fussed | 2 | plumb study: --planner: unknown planner \"fussed\" (did you mean \"fused\"?); one of auto, fused",
    "study --device cpu --threads 0 | 2 | plumb study: --threads 0: must be an integer from 1 to 4096",
    "study --device reference --threads 2 | 2 | plumb study: --threads: applies only to the CPU, not to device reference",
    "study --device cpu --precision tf32 | 2 | plumb study: networks[0] \"Model A - Shallow\": precision tf32 is not supported on a CPU",
    "study none.json | 2 | plumb study: none.json: there is no such file",
    "study a.json b.json | 2 | plumb study: unexpected argument \"b.json\" after \"a.json\"",
    "study --json nowhere/out.json | 2 | plumb study: cannot write nowhere/out.json: there is no folder",
    "study --json x.out --report ./x.out | 2 | plumb study: --report ./x.out would overwrite the --json file; choose another file",
    "study --report nowhere/out.html | 2 | plumb study: cannot write nowhere/out.html: there is no folder",
    "check --layers 3 | 2 | plumb check: --layers: layers [3]: at least two widths are needed",
    "check --layers 3,0,1 | 2 | plumb check: --layers: layers [3, 0, 1]: width 0 at position 2 must be at least 1",
    "check --layers 3,a,1 | 2 | plumb check: --layers 3,a,1: must be integers of at most 2147483647, separated by commas",
    "check --layers 3,,1 | 2 | plumb check: --layers 3,,1: must be integers",
    "check --activation rleu | 2 | plumb check: --activation: unknown activation \"rleu\" (did you mean \"relu\"?); one of linear",
    "check --loss mean | 2 | plumb check: --loss: unknown loss \"mean\"",
    "check --optimizer adm | 2 | plumb check: --optimizer: unknown optimizer \"adm\" (did you mean \"adam\"?)",
    "check --lr NaN | 2 | plumb check: --lr: learningRate NaN must be a finite number of at least 0",
    "check --lr fast | 2 | plumb check: --lr fast: must be a number",
    "check --lr 1e38 | 1 | plumb check: training diverged within 10 steps, so there is nothing to check; try --lr below 1.0E38",
    "check --layers 3000,1 --samples 1000000 | 2 | plumb check: 1000000 samples of 3000 inputs and 1 outputs are more than",
    "check --layers 3,99999999999,1 | 2 | plumb check: --layers 3,99999999999,1: must be integers of at most 2147483647, separated",
    "study --quiet=yes | 2 | plumb study: --quiet takes no value",
    "study --seeds 2147483647 | 2 | plumb study: --seeds 2147483647: must be an integer from 1 to 1000000",
    "check --data mnist | 2 | plumb check: --data mnist: must be random or notebook",
    "check --data notebook --layers 4,1 | 2 | plumb check: the network has 4 inputs, but the data has 3 features",
    "check --samples 0 | 2 | plumb check: --samples 0: must be an integer from 1",
    "check spec.json | 2 | plumb check: unexpected argument \"spec.json\"; this command takes only options",
    "--versoin | 2 | plumb: unknown option --versoin (did you mean \"--version\"?)",
  })
  void badCommandLineIsReportedInOneLine(String arguments, int code, String start) {
    Ran ran = plumb(arguments.split(" "));
    assertEquals(code, ran.code(), ran.err());
    assertTrue(ran.err().startsWith(start), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void badSpecIsReportedWithFileAndPositionAndNothingIsWritten() throws IOException {
    Path json = folder.resolve("out.json");
    Path malformed = file("spec.json", "{\n  \"epochs\": 5,\n  \"seed\" 7\n}");
    Ran ran = plumb("study", malformed.toString(), "--json", json.toString());
    assertEquals(2, ran.code());
    assertTrue(ran.err().startsWith("plumb study: " + malformed + ": line 3, column 10: this is not JSON"), ran.err());
    Path misfit = file("spec.json", "{\"networks\": [{\"name\": \"wide\", \"layers\": [4,1], \"activation\": \"relu\"}]}");
    ran = plumb("study", misfit.toString(), "--json", json.toString());
    assertEquals(2, ran.code());
    assertEquals("plumb study: " + misfit + ": networks[0] \"wide\": the network has 4 inputs, but the data has 3 features\n",
        ran.err());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(misfit), files.toList());
    }
  }

  @Test
  void specIsNeverOverwrittenByItsResult() throws IOException {
    Path spec = smallSpec();
    String before = Files.readString(spec);
    Path link = Files.createSymbolicLink(folder.resolve("link.json"), spec);
    for (Path json : List.of(spec, link, folder.resolve(".").resolve("small.json"))) {
      Ran ran = plumb("study", spec.toString(), "--json", json.toString());
      assertEquals(2, ran.code());
      assertEquals("plumb study: --json " + json + " would overwrite SPEC; choose another file\n", ran.err());
    }
    assertEquals(before, Files.readString(spec));
  }

  @Test
  void emptyArgumentsAreRefused() {
    assertEquals("plumb study: --json requires a value: FILE\n", plumb("study", "--json", "").err());
    assertEquals("plumb study: --device requires a value: DEVICE\n", plumb("study", "--device", " ").err());
    assertEquals("plumb study: empty argument where a file name is expected\n", plumb("study", "").err());
    assertEquals("plumb study: \"a?b\" cannot be a file name: it contains a NUL character\n", plumb("study", "a\0b").err());
    assertEquals(2, plumb("").code());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void unwritableTargetIsRefusedBeforeTraining() throws IOException {
    Ran ran = plumb("study", "--json", "/proc/plumb.json");
    assertEquals(2, ran.code());
    assertEquals("plumb study: cannot write /proc/plumb.json: no file can be created there\n", ran.err());
    assertEquals("", ran.out());
  }

  // Help and version

  @Test
  void helpAndVersionAtBothLevels() {
    assertEquals(0, plumb("--help").code());
    assertTrue(plumb("--help").out().contains("  study"), plumb("--help").out());
    assertTrue(plumb("study", "--help").out().contains("--seeds N"));
    assertTrue(plumb("check", "--help").out().contains("--layers N,N,..."));
    assertTrue(plumb("--version").out().startsWith("plumb " + Version.CURRENT + " (Java "));
    assertEquals(plumb("--version").out(), plumb("study", "--version").out());
    assertTrue(Version.CURRENT.matches("\\d+\\.\\d+\\.\\d+.*"), Version.CURRENT);
    Ran bare = plumb();
    assertEquals(2, bare.code());
    assertEquals("", bare.out());
    assertTrue(bare.err().startsWith("usage: plumb COMMAND"), bare.err());
  }

  @Test
  void specOfTheHelpTextWorks() throws IOException {
    String help = plumb("study", "--help").out();
    String spec = help.substring(help.indexOf("{ \"name\""), help.indexOf("} ] }") + 5)
        .replaceAll("} ] }$", "} ] }").replace("\"epochs\": 700", "\"epochs\": 201");
    Ran ran = plumb("study", file("spec.json", spec).toString());
    assertEquals(0, ran.code(), ran.err());
  }

  private Path smallSpec() throws IOException {
    return file("small.json", "{\"epochs\": 1, \"data\": {\"samples\": 4}, \"networks\": ["
        + "{\"layers\": [3,1], \"activation\": \"tanh\"}]}");
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static Ran plumb(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run(arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
