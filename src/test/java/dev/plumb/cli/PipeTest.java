package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pipes with a name in place of files: what is read or written once works, and what needs a file says so. */
class PipeTest {
  private static final String DATA = "a,b,y\n1,2,x\n3,4,z\n5,6,x\n2,1,z\n";
  private static final String SPEC = "{\"epochs\":2,\"networks\":[{\"name\":\"N\",\"layers\":[3,2,1],\"activation\":\"tanh\"}]}";
  private static final String GRID = "{\"epochs\":2,\"grid\":{\"depth\":[1],\"width\":[2]}}";

  @TempDir Path folder;

  private Path data;
  private String run;
  private Path pipe;

  @BeforeEach
  void trainAModelAndMakeAPipe() throws Exception {
    data = Files.writeString(folder.resolve("data.csv"), DATA);
    plumb("train", data.toString(), "--runs", folder.toString(), "--device", "reference", "--epochs", "2", "--layers", "2",
        "--quiet");
    run = folder.resolve("data-1").toString();
    pipe = pipe("pipe");
  }

  @Test
  void dataAreReadFromAPipe() throws Exception {
    String expected = plumb("predict", run, data.toString());
    assertTrue(expected.startsWith("y,probability_x,probability_z\n"), expected);
    feed(pipe, bytes(DATA));
    assertEquals(expected, plumb("predict", run, pipe.toString()));
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(bytes(DATA));
    }
    feed(pipe, packed.toByteArray());
    assertEquals(expected, plumb("predict", run, pipe.toString()));
    feed(pipe, bytes(DATA));
    assertEquals(plumb("evaluate", run, data.toString()).replace(data.toString(), pipe.toString()),
        plumb("evaluate", run, pipe.toString()));
  }

  @Test
  void labelsAreReadFromAPipe() throws Exception {
    Path images = Files.write(folder.resolve("images"), new byte[] {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4});
    byte[] labels = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1};
    Path file = Files.write(folder.resolve("labels"), labels);
    plumb("train", images.toString(), "--labels", file.toString(), "--runs", folder.toString(), "--device", "reference",
        "--epochs",
        "1", "--quiet");
    String model = folder.resolve("images-1").toString();
    feed(pipe, labels);
    assertEquals(plumb("evaluate", model, images.toString(), "--labels", file.toString()),
        plumb("evaluate", model, images.toString(), "--labels", pipe.toString()));
    Plumbed train = Plumbed.run("train", images.toString(), "--labels", pipe.toString(), "--runs", folder.toString());
    assertRefused(pipe + ": training reads its data again when it is resumed: a file is needed, not a pipe or a device", train);
  }

  @Test
  void specificationsAreReadFromAPipe() throws Exception {
    feed(pipe, bytes("{\"epochs\": 7}"));
    String config = plumb("train", data.toString(), "--config", pipe.toString(), "--print-config");
    assertTrue(config.contains("\"epochs\": 7"), config);
    Path spec = Files.writeString(folder.resolve("spec.json"), SPEC);
    feed(pipe, bytes(SPEC));
    assertEquals(plumb("study", spec.toString(), "--device", "reference"), plumb("study", pipe.toString(), "--device",
        "reference"));
    Path log = folder.resolve("grid.runs");
    feed(pipe, bytes(GRID));
    String grid = plumb("study", pipe.toString(), "--device", "reference", "--log", log.toString());
    assertTrue(grid.contains("3-2-1"), grid);
    assertTrue(plumb("study", "--resume", log.toString()).contains("; 0 to train"));
  }

  /** Nobody writes into the pipe: to open it would be to wait for ever. */
  @Test
  void trainingNeedsFiles() {
    String needed = ": training reads its data again when it is resumed: a file is needed, not a pipe or a device";
    assertRefused(pipe + needed, Plumbed.run("train", pipe.toString(), "--runs", folder.resolve("runs").toString()));
    assertRefused(pipe + needed, Plumbed.run(
        "train", data.toString(), "--test", pipe.toString(), "--runs", folder.resolve("runs").toString()));
    assertFalse(Files.exists(folder.resolve("runs")));
  }

  @Test
  void modelsAndRunsAreFiles() throws IOException {
    String noFile = pipe + ": cannot be read: it is a pipe or a device, not a file";
    assertRefused(noFile, Plumbed.run("predict", pipe.toString(), data.toString()));
    assertRefused(noFile, Plumbed.run("export", pipe.toString(), folder.resolve("model.onnx").toString()));
    assertRefused("--resume: " + pipe + ": it is a file, not a run folder", Plumbed.run("train", "--resume", pipe.toString()));
    String noLog = pipe + ": a study keeps its networks in a file, to be resumed, and this is a pipe or a device";
    assertRefused(noLog, Plumbed.run("study", "--resume", pipe.toString()));
    Path grid = Files.writeString(folder.resolve("grid.json"), GRID);
    assertRefused(noLog, Plumbed.run("study", grid.toString(), "--device", "reference", "--log", pipe.toString()));
  }

  @Test
  void resultsGoIntoAPipe() throws Exception {
    CompletableFuture<String> out = collect(pipe);
    plumb("predict", run, data.toString(), "--out", pipe.toString());
    assertEquals(plumb("predict", run, data.toString()), out.get(1, TimeUnit.MINUTES));
    CompletableFuture<String> json = collect(pipe);
    plumb("evaluate", run, data.toString(), "--json", pipe.toString());
    assertTrue(json.get(1, TimeUnit.MINUTES).startsWith("{\n  \"rows\": 4,"), "one JSON object");
    CompletableFuture<String> table = collect(pipe);
    Path grid = Files.writeString(folder.resolve("grid.json"), GRID);
    plumb("study", grid.toString(), "--device", "reference", "--log", folder.resolve("a.runs").toString(), "--csv",
        pipe.toString());
    assertEquals(2, table.get(1, TimeUnit.MINUTES).lines().count());
    CompletableFuture<String> exported = collect(pipe);
    plumb("export", run, pipe.toString(), "--format", "safetensors");
    assertTrue(exported.get(1, TimeUnit.MINUTES).contains("plumb.sha256"), "a model");
    plumb("predict", run, data.toString(), "--out", "/dev/null");
  }

  /** Nothing is there that one of them could overwrite. */
  @Test
  void severalResultsMayGoToADevice() throws IOException {
    Path grid = Files.writeString(folder.resolve("grid.json"), GRID);
    plumb("study", grid.toString(), "--device", "reference", "--log", folder.resolve("a.runs").toString(), "--json", "/dev/null",
        "--csv", "/dev/null", "--report", "/dev/null");
    Plumbed ran = Plumbed.run("predict", run, "/dev/null", "--out", "/dev/null");
    assertRefused("/dev/null: is empty; a table is needed", ran);
  }

  private static String plumb(String... arguments) {
    Plumbed ran = Plumbed.run(arguments);
    assertEquals(0, ran.code(), ran.err());
    return ran.out();
  }

  private static void assertRefused(String message, Plumbed ran) {
    assertEquals(message, ran.err().replaceFirst("plumb [a-z]+: ", "").strip());
    assertEquals(2, ran.code());
  }

  private Path pipe(String name) throws Exception {
    Path path = folder.resolve(name);
    assertEquals(0, new ProcessBuilder("mkfifo", path.toString()).inheritIO().start().waitFor());
    return path;
  }

  /** Writes into the pipe as soon as somebody reads there. */
  private static void feed(Path pipe, byte[] content) {
    CompletableFuture.runAsync(() -> {
      try {
        Files.write(pipe, content);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  private static CompletableFuture<String> collect(Path pipe) {
    return CompletableFuture.supplyAsync(() -> {
      try (var in = Files.newInputStream(pipe); var out = new ByteArrayOutputStream()) {
        byte[] buffer = new byte[1000];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          out.write(buffer, 0, read);
        }
        return out.toString(StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
