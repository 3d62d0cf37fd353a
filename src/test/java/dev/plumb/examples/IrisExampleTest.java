package dev.plumb.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.train.Predictions;
import dev.plumb.train.TrainConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the README, and what it relies on. */
class IrisExampleTest {
  private static final Path IRIS = Path.of("src/test/resources/tables/iris.csv");

  @TempDir Path folder;

  @Test
  void exampleRuns() {
    Path file = folder.resolve("model.safetensors");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      IrisExample.main(new String[] {IRIS.toString(), file.toString()});
    } finally {
      System.setOut(before);
    }
    assertTrue(out.toString(StandardCharsets.UTF_8).matches("accuracy on held-out rows: (0\\.9\\d*|1\\.0)\nfirst of them: setosa\n"),
        out.toString(StandardCharsets.UTF_8));
    assertTrue(Files.exists(file));
  }

  @Test
  void readmeShowsTheExample() throws IOException {
    String source = Files.readString(Path.of("src/test/java/dev/plumb/examples/IrisExample.java"));
    String example = source.split("    // README\n")[1].replaceAll("(?m)^    ", "");
    assertTrue(Files.readString(Path.of("README.md")).contains("```java\n" + example + "```\n"), "README.md lacks:\n" + example);
  }

  @Test
  void loadedModelPredictsAsTheSavedOne() {
    Table table = Plumb.read(IRIS);
    Model model = Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.epochs(3)), "reference");
    Path file = folder.resolve("model.safetensors");
    model.save(file);
    Model loaded = Plumb.load(file);
    Predictions expected = model.predict(table);
    Predictions actual = loaded.predict(table);
    for (int row = 0; row < table.rows(); row++) {
      assertEquals(expected.className(row), actual.className(row));
      for (int c = 0; c < 3; c++) {
        assertEquals(expected.probability(row, c), actual.probability(row, c), 1e-5);
      }
    }
    assertEquals(3, model.history().size());
  }

  @Test
  void trainingThatDivergesInItsFirstEpochIsRefused() {
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.learningRate(1e38));
    InvalidInputException refusal =
        Assertions.assertThrows(InvalidInputException.class, () -> Plumb.train(Plumb.read(IRIS), config, "cpu"));
    assertEquals("training diverged in its first epoch; try a learning rate below 1.0E38", refusal.getMessage());
  }
}
