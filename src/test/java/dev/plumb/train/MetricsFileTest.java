package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {
  @TempDir Path folder;

  /** A full disk, for example, is an error of the user's machine, not a bug. */
  @Test
  void failureToWriteARowIsReportedInOneLine() throws IOException {
    Path file = folder.resolve("metrics.csv");
    MetricsFile metrics = MetricsFile.begin(file, "r2", List.of(), 1);
    Files.delete(file);
    Files.createDirectory(file);
    EpochMetrics row = new EpochMetrics(1, 0.5, Double.NaN, Double.NaN, 0.1, 0.01, new double[] {1});
    InvalidInputException thrown = assertThrows(InvalidInputException.class, () -> metrics.add(row));
    assertTrue(thrown.getMessage().startsWith("cannot write " + file + ": "), thrown.getMessage());
  }
}
