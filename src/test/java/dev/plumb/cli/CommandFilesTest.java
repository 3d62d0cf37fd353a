package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Outputs that would overwrite inputs or files of a run. */
@DisabledOnOs(OS.WINDOWS)
class CommandFilesTest {
  @TempDir Path folder;
  private String data;
  private String run;

  @BeforeEach
  void train() throws IOException {
    data = Files.writeString(folder.resolve("good.csv"), "a,b,y\n1,2,x\n3,4,z\n5,6,x\n").toString();
    Plumbed trained = Plumbed.run("train", data, "--runs", folder.toString(), "--device", "reference", "--epochs", "1",
        "--layers",
        "2", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    run = folder.resolve("good-1").toString();
  }

  /** Returns paths of a file: through a folder and back, a link to it, through a link to its folder, and a hard link. */
  private List<Path> namesOf(Path file) throws IOException {
    Path links = Files.createTempDirectory(folder, "links");
    return List.of(file, folder.resolve("good-1/..").resolve(folder.relativize(file)),
        Path.of("").toAbsolutePath().relativize(file), Files.createSymbolicLink(links.resolve("link"), file),
        Files.createSymbolicLink(links.resolve("folder"), file.getParent()).resolve(file.getFileName()),
        Files.createLink(links.resolve("hard"), file));
  }

  @Test
  void inputIsRefusedAsOutputUnderAnyPath() throws IOException {
    for (Path name : namesOf(Path.of(data))) {
      assertRefused("--out " + name + " would overwrite DATA; choose another file", "predict", run, data, "--out",
          name.toString());
      assertRefused("--json " + name + " would overwrite DATA; choose another file", "evaluate", run, data, "--json",
          name.toString());
    }
    for (Path name : namesOf(Path.of(run, "model.safetensors"))) {
      assertRefused("FILE " + name + " would overwrite MODEL; choose another file", "export", run, name.toString(), "--format",
          "npz");
      assertRefused("--out " + name + " would overwrite MODEL; choose another file", "predict", run + "/model.safetensors", data,
          "--out", name.toString());
    }
  }

  @Test
  void fileOfTheRunIsRefusedAsOutputUnderAnyPath() throws IOException {
    List<Path> kept;
    try (Stream<Path> files = Files.list(Path.of(run))) {
      kept = files.filter(file -> !file.endsWith("model.safetensors")).toList();
    }
    assertEquals(6, kept.size(), kept.toString());
    for (Path file : kept) {
      for (Path name : namesOf(file)) {
        for (String model : List.of(run, run + "/model.safetensors")) {
          assertRefused("--json " + name + " would overwrite " + file.getFileName() + " in the run folder " + run
              + "; choose another file",
              "evaluate", model, data, "--json", name.toString());
        }
      }
    }
  }

  @Test
  void filesOfOtherRunsAreRefused() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of(run, "manifest.json"));
    assertRefused("--json " + link + " would overwrite manifest.json in the run folder " + Path.of(run).toRealPath()
        + "; choose another file", "devices", "--json", link.toString());
    Path copy = Files.copy(Path.of(run, "model.safetensors"), folder.resolve("copy.safetensors"));
    assertRefused("FILE " + run + "/model.safetensors would overwrite model.safetensors in the run folder "
        + Path.of(run).toRealPath() + "; choose another file", "export", copy.toString(), run + "/model.safetensors");
  }

  @Test
  void labelsNextToImagesAreAnInput() throws IOException {
    Path images = folder.resolve("t-images-idx3-ubyte");
    Path labels = folder.resolve("t-labels-idx1-ubyte");
    Files.write(images, ByteBuffer.allocate(16 + 8).putInt(0x803).putInt(2).putInt(2).putInt(2).array());
    Files.write(labels, ByteBuffer.allocate(8 + 2).putInt(0x801).putInt(2).array());
    assertRefused("--json " + labels + " would overwrite the labels of DATA; choose another file",
        "evaluate", run, images.toString(), "--json", labels.toString());
    assertRefused("--json " + labels + " would overwrite the --labels file; choose another file",
        "evaluate", run, images.toString(), "--labels", labels.toString(), "--json", labels.toString());
  }

  @Test
  void standardInputMayBeAFile() throws Exception {
    Path script = Files.writeString(folder.resolve("script.sh"), String.join(" ", Path.of(System.getProperty("java.home"),
        "bin/java")
        .toString(), "-cp", "'" + System.getProperty("java.class.path") + "'", Main.class.getName(), "predict", run, "-", "--out",
        data,
        "<", data));
    Ran ran = Ran.of(folder, Map.of(), "sh", script.toString());
    assertEquals("plumb predict: --out " + data + " would overwrite DATA; choose another file\n", ran.err());
    assertEquals(2, ran.code());
  }

  @Test
  void studiesDoNotOverwriteTheirFiles() throws IOException {
    Path spec = Files.writeString(folder.resolve("spec.json"),
        "{ \"epochs\": 5, \"grid\": {\"depth\": [1], \"width\": [2]} }");
    String log = folder.resolve("log.runs").toString();
    for (String option : List.of("--json", "--csv", "--report")) {
      assertRefused(option + " " + spec + " would overwrite SPEC; choose another file", "study", spec.toString(), option,
          spec.toString());
      assertRefused(option + " " + log + " would overwrite the --log file; choose another file", "study", spec.toString(),
          "--log",
          log, option, log);
      assertRefused(option + " x would overwrite the --log file; choose another file", "study", "depth", "--log", "./x", option,
          "x");
    }
    assertRefused("--log " + spec + " would overwrite SPEC; choose another file", "study", spec.toString(), "--log",
        spec.toString());
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("new"));
    assertRefused("--report " + dangling + " would overwrite the --csv file; choose another file", "study", spec.toString(),
        "--csv",
        folder.resolve("new").toString(), "--report", dangling.toString());
    assertEquals(0, Plumbed.run("study", spec.toString(), "--device", "reference", "--quiet", "--log", log).code());
    for (String option : List.of("--json", "--csv", "--report")) {
      assertRefused(option + " " + log + " would overwrite the --resume file; choose another file", "study", "--resume", log,
          option,
          log);
    }
  }

  /** The JSON file does not exist yet when the name of the results file is chosen. */
  @Test
  void defaultResultsFileIsNotAnOutput() throws Exception {
    Path spec = Files.writeString(folder.resolve("spec.json"),
        "{ \"name\": \"s\", \"epochs\": 5, \"grid\": {\"depth\": [1], \"width\": [2]} }");
    Ran ran = Ran.of(folder, Map.of(), Path.of(System.getProperty("java.home"), "bin/java").toString(), "-cp",
        System.getProperty("java.class.path"), Main.class.getName(), "study", spec.toString(), "--device", "reference", "--json",
        "s-1.runs", "--quiet");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(Files.readString(folder.resolve("s-1.runs")).contains("\"finalLoss\""));
    assertTrue(Files.readString(folder.resolve("s-2.runs")).startsWith("{\"plumb\""));
  }

  @Test
  void otherOutputsAreReplacedAndPipesMayBeNamedTwice() throws IOException {
    String out = Files.writeString(folder.resolve("out.csv"), "old").toString();
    assertEquals(0, Plumbed.run("predict", run, data, "--device", "reference", "--out", out).code());
    assertEquals(4, Files.readAllLines(Path.of(out)).size());
    String onnx = Path.of(run, "model.onnx").toString();
    assertEquals(0, Plumbed.run("export", run, onnx).code());
    assertEquals(0, Plumbed.run("export", run, onnx).code());
    Path spec = Files.writeString(folder.resolve("spec.json"),
        "{ \"epochs\": 5, \"networks\": [{\"layers\": [3,2,1], \"activation\": \"relu\"}] }");
    assertEquals(0, Plumbed.run("study", spec.toString(), "--device", "reference", "--quiet", "--json", "/dev/null", "--report",
        "/dev/null").code());
  }

  private void assertRefused(String message, String... arguments) throws IOException {
    List<String> before = FolderContents.of(folder);
    Plumbed ran = Plumbed.run(arguments);
    assertEquals("plumb " + arguments[0] + ": " + message + "\n", ran.err());
    assertEquals(2, ran.code());
    assertEquals("", ran.out());
    assertEquals(before, FolderContents.of(folder));
  }
}
