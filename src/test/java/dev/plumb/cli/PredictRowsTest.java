package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Table;
import dev.plumb.model.Normalization;
import dev.plumb.train.Predictions;
import dev.plumb.train.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A row's line of {@code plumb predict} on a CPU does not depend on the other rows of the file, nor on the number of threads. */
class PredictRowsTest {
  private static final Path IRIS = Path.of("src/test/resources/tables/iris.csv");

  @TempDir Path folder;

  /** Networks computed by rows and by matrix products. */
  @ParameterizedTest
  @CsvSource({"8, NONE", "64, NONE", "300, NONE", "64, LAYER", "64, BATCH"})
  void linesOfPartsAreThoseOfTheWhole(int width, Normalization normalization) throws IOException {
    Table table = Plumb.read(IRIS);
    Model model = Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.hidden(width, width).epochs(2).normalization(normalization).seed(3)));
    Path file = folder.resolve("model.safetensors");
    model.save(file);
    List<String> rows = Files.readAllLines(IRIS);
    List<String> whole = predict(file, rows, "--threads", "2");
    assertEquals(whole, predict(file, rows, "--threads", "1"));
    assertEquals(151, whole.size());
    List<String> parts = new ArrayList<>(List.of(whole.get(0)));
    for (int first = 1; first < rows.size(); first += 37) {
      List<String> part = new ArrayList<>(List.of(rows.get(0)));
      part.addAll(rows.subList(first, Math.min(rows.size(), first + 37)));
      List<String> lines = predict(file, part);
      parts.addAll(lines.subList(1, lines.size()));
    }
    assertEquals(whole, parts);
    if (normalization == Normalization.NONE) {
      Predictions predictions = model.predict(table);
      for (int row = 0; row < 150; row++) {
        assertEquals(whole.get(row + 1), predictions.className(row) + "," + predictions.probability(row, 0) + ","
            + predictions.probability(row, 1) + "," + predictions.probability(row, 2));
      }
    }
  }

  private List<String> predict(Path model, List<String> rows, String... options) throws IOException {
    Path data = Files.write(folder.resolve("rows.csv"), rows);
    List<String> arguments = new ArrayList<>(List.of("predict", model.toString(), data.toString(), "--device", "cpu"));
    arguments.addAll(List.of(options));
    Plumbed ran = Plumbed.run(arguments.toArray(String[]::new));
    assertEquals(0, ran.code(), ran.err());
    assertFalse(ran.out().isEmpty());
    return ran.out().lines().toList();
  }
}
