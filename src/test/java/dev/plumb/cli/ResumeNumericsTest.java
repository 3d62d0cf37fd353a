package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs record what decides their last bits, and are resumed under nothing else unless the user allows it. */
class ResumeNumericsTest {
  private static final String IRIS = Path.of("src/test/resources/tables/iris.csv").toAbsolutePath().toString();

  @TempDir Path folder;

  @Test
  void manifestNamesWhatComputesAndNothingElse() throws IOException {
    JsonNode wide = manifest(train("wide", "--layers", "40,40", "--device", "cpu")).get("numerics");
    assertEquals(List.of("backend", "java", "plumb", "precision", "products"), names(wide));
    assertEquals("cpu", wide.get("backend").textValue());
    assertEquals("fp32", wide.get("precision").textValue());
    JsonNode narrow = manifest(train("narrow", "--layers", "4", "--device", "cpu")).get("numerics");
    assertEquals(List.of("backend", "java", "plumb", "precision", "vectors"), names(narrow));
    JsonNode reference = manifest(train("reference", "--device", "reference")).get("numerics");
    assertEquals(List.of("backend", "java", "plumb", "precision"), names(reference));
    assertEquals("fp64", reference.get("precision").textValue());
  }

  @Test
  void otherNumericsAreRefusedWithBothNamed() throws IOException {
    Path run = stopped(text -> text.replaceFirst("products: .*", "products: BLAS of another machine"));
    List<String> before = contents(run);
    Plumbed refused = Plumbed.run("train", "--resume", run.toString());
    assertEquals(2, refused.code());
    String products = manifest(folder.resolve("whole-1")).get("numerics").get("products").textValue();
    assertEquals("plumb train: " + run + ": cannot be resumed here bit for bit: products was \"BLAS of another machine\","
        + " now \"" + products + "\"; resume it in the original environment or add --allow-other-numerics\n", refused.err());
    assertEquals("", refused.out());
    assertEquals(before, contents(run));
  }

  @Test
  void allowedOtherNumericsAreRecorded() throws IOException {
    Path run = stopped(text -> text.replaceFirst("products: .*", "products: BLAS of another machine"));
    Plumbed allowed = Plumbed.run("train", "--resume", run.toString(), "--allow-other-numerics");
    assertEquals(0, allowed.code(), allowed.err());
    assertTrue(allowed.err().startsWith("note: " + run
        + " is resumed under other numerics (recorded); the result is not bit-identical:"
        + " products was \"BLAS of another machine\", now \""), allowed.err());
    JsonNode manifest = manifest(run);
    assertEquals("BLAS of another machine", manifest.get("earlierNumerics").get(0).get("products").textValue());
    assertEquals(manifest(folder.resolve("whole-1")).get("numerics"), manifest.get("numerics"));
    SortedMap<String, String> texts = Checkpoint.read(run.resolve("checkpoint.safetensors")).run();
    assertTrue(texts.get("numerics.0").contains("BLAS of another machine"), texts.toString());
    assertFalse(texts.get("numerics.1").contains("BLAS of another machine"), texts.toString());
    assertFalse(texts.containsKey("numerics.2"), texts.toString());
  }

  @Test
  void sameNumericsAreResumedWithoutAWordWhateverTheThreads() throws IOException {
    Path run = stopped(text -> text);
    Plumbed resumed = Plumbed.run("train", "--resume", run.toString(), "--threads", "3");
    assertEquals(0, resumed.code(), resumed.err());
    assertTrue(resumed.err().lines().noneMatch(line -> line.startsWith("note:")), resumed.err());
    assertFalse(manifest(run).has("earlierNumerics"));
    assertArrayEquals(Checkpoint.read(folder.resolve("whole-1/checkpoint.safetensors")).state().best(),
        Checkpoint.read(run.resolve("checkpoint.safetensors")).state().best());
  }

  @Test
  void anotherDeviceOrVersionIsRefused() throws IOException {
    Path whole = train("whole", "--layers", "4", "--device", "reference");
    Path device = StoppedRun.make(whole, folder.resolve("device"));
    String refused = Plumbed.run("train", "--resume", device.toString(), "--device", "cpu").err();
    assertTrue(refused.contains("bit for bit: backend was \"reference\", now \"cpu\"; vectors was \"none\", now \""), refused);
    Path version = edited(StoppedRun.make(whole, folder.resolve("version")), text -> text.replaceFirst("plumb: .*",
        "plumb: 0.0.1"));
    String other = Plumbed.run("train", "--resume", version.toString()).err();
    assertTrue(other.contains("bit for bit: plumb was \"0.0.1\", now \""), other);
  }

  @Test
  void runWithoutNumericsIsResumedWithANote() throws IOException {
    Path run = stopped(text -> null);
    Plumbed resumed = Plumbed.run("train", "--resume", run.toString());
    assertEquals(0, resumed.code(), resumed.err());
    assertTrue(resumed.err().startsWith("note: " + run + " was started by a version of Plumb that did not record its numerics;"
        + " the result may not be bit-identical\n"), resumed.err());
    assertEquals(manifest(folder.resolve("whole-1")).get("numerics"), manifest(run).get("numerics"));
  }

  /** Its weights are there, and nothing is trained. */
  @Test
  void trainingThatIsOverIsNotRefused() throws IOException {
    Path run = edited(train("whole", "--layers", "4", "--device", "reference"), text -> text.replaceFirst("java: .*",
        "java: 99"));
    Plumbed resumed = Plumbed.run("train", "--resume", run.toString(), "--quiet");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals("99", manifest(run).get("numerics").get("java").textValue());
  }

  /** The environment selects the library when a process starts, so each case runs in its own process. */
  @Test
  void productsOfAnotherProcessorOrLibraryAreRefused() throws Exception {
    Path whole = folder.resolve("whole-1");
    assertEquals(0, process(List.of(), Map.of(), "train", IRIS, "--runs", folder.toString(), "--name", "whole", "--epochs", "3",
        "--layers", "40,40", "--device", "cpu").code());
    Path run = StoppedRun.make(whole, folder.resolve("stopped"));
    String products = manifest(whole).get("numerics").get("products").textValue();
    boolean openBlas = products.startsWith("OpenBLAS");
    Plumbed java = process(List.of("-Dplumb.cpu.products=java"), Map.of(), "train", "--resume", run.toString(), "--quiet");
    assertEquals(openBlas ? 2 : 0, java.code(), java.err());
    assertEquals(openBlas, java.err().contains("products was \"" + products + "\", now \"plain Java\""), java.err());
    Plumbed processor = process(List.of(), Map.of("OPENBLAS_CORETYPE", "Nehalem"), "train", "--resume", run.toString(),
        "--quiet");
    boolean other = openBlas && !products.endsWith("NEHALEM");
    assertEquals(other ? 2 : 0, processor.code(), processor.err());
    assertEquals(other, processor.err().contains("kernels NEHALEM\"; resume it"), processor.err());
    Plumbed same = process(List.of(), Map.of(), "train", "--resume", run.toString(), "--quiet");
    assertEquals(0, same.code(), same.err());
    assertArrayEquals(Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(run.resolve("model.safetensors")));
  }

  private Plumbed process(List<String> options, Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
    command.addAll(options);
    command.add(Main.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(folder.resolve("out").toFile())
        .redirectError(folder.resolve("err").toFile());
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    return new Plumbed(code, Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
  }

  private Path train(String name, String... options) {
    List<String> arguments = new ArrayList<>(List.of("train", IRIS, "--runs", folder.toString(), "--name", name, "--epochs", "3",
        "--quiet"));
    arguments.addAll(List.of(options));
    Plumbed trained = Plumbed.run(arguments.toArray(String[]::new));
    assertEquals(0, trained.code(), trained.err());
    return folder.resolve(name + "-1");
  }

  /** A run of a wide network as it was at its beginning, with other numerics on record; with none where the edit gives null. */
  private Path stopped(UnaryOperator<String> edit) throws IOException {
    return edited(StoppedRun.make(train("whole", "--layers", "40,40", "--device", "cpu"), folder.resolve("stopped")), edit);
  }

  private static Path edited(Path run, UnaryOperator<String> edit) {
    Path file = run.resolve("checkpoint.safetensors");
    Checkpoint checkpoint = Checkpoint.read(file);
    SortedMap<String, String> texts = new TreeMap<>(checkpoint.run());
    texts.compute("numerics.0", (key, text) -> edit.apply(text));
    new Checkpoint(List.of(checkpoint.state()), texts).write(file);
    return run;
  }

  private static JsonNode manifest(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("manifest.json").toFile());
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static List<String> contents(Path run) throws IOException {
    List<String> contents = new ArrayList<>();
    try (Stream<Path> files = Files.list(run)) {
      // The file of the lock has nothing in it, and stays.
      for (Path file : files.filter(file -> !file.endsWith(".lock")).sorted().toList()) {
        contents.add(file.getFileName() + " " + Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}
