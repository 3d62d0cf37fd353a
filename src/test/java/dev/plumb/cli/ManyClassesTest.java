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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables of many classes: scores of all rows by all classes do not fit the heap, and no table of them is printed. */
class ManyClassesTest {
  @TempDir Path folder;

  /** All scores of this table are 144 MB in doubles, and a table of its classes is 72 MB. */
  @Test
  void trainingIsScoredInLittleMemory() throws Exception {
    Path data = table(6000, 3000);
    List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx224m",
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Main.class.getName(), "train", data.toString(),
        "--runs", folder.toString(), "--validation", "0", "--epochs", "1", "--batch-size", "500", "--layers", "4", "--device",
            "cpu",
        "--quiet");
    Path err = folder.resolve("err");
    Process process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile()).start();
    assertEquals(0, process.waitFor(), Files.readString(err));
    Path run = folder.resolve("many-1");
    assertTrue(Files.size(run.resolve("model.safetensors")) > 0);
    assertTrue(Files.size(run.resolve("report.html")) < 1_000_000, "the report of 3,000 classes");
    JsonNode result = new ObjectMapper().readTree(run.resolve("manifest.json").toFile()).get("result");
    assertTrue(result.get("trainingAccuracy").isNumber(), result.toString());
  }

  @Test
  void evaluationListsMistakesInsteadOfATable() throws IOException {
    Path data = table(300, 101);
    Plumbed trained = Plumbed.run("train", data.toString(), "--runs", folder.toString(), "--validation", "0", "--epochs", "1",
        "--layers", "2", "--device", "reference", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    Path json = folder.resolve("scores.json");
    Plumbed evaluated = Plumbed.run("evaluate", folder.resolve("many-1").toString(), data.toString(), "--device", "reference",
        "--json", json.toString());
    assertEquals(0, evaluated.code(), evaluated.err());
    assertFalse(evaluated.out().contains("actual \\ predicted"));
    assertEquals(21, evaluated.out().lines().dropWhile(line -> !line.startsWith("actual ")).count());
    long rows = 0;
    for (JsonNode ofClass : new ObjectMapper().readTree(json.toFile()).get("classes")) {
      assertEquals(101, ofClass.get("takenFor").size());
      long sum = 0;
      for (JsonNode count : ofClass.get("takenFor")) {
        sum += count.longValue();
      }
      assertEquals(ofClass.get("rows").longValue(), sum);
      rows += sum;
    }
    assertEquals(300, rows);
  }

  private Path table(int rows, int classes) throws IOException {
    List<String> lines = new ArrayList<>(List.of("a,b,y"));
    for (int row = 0; row < rows; row++) {
      lines.add(row % 77 + "," + row % 101 + ",c" + row % classes);
    }
    return Files.write(folder.resolve("many.csv"), lines);
  }
}
