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

  /** As where the disk is full: nothing that a report of a bug would mend. */
  @Test
  void rowThatCannotBeWrittenIsSaidInOneLine() throws IOException {
    Path file = folder.resolve("metrics.csv");
    MetricsFile metrics = MetricsFile.begin(file, "r2", List.of(), 1);
    Files.delete(file);
    Files.createDirectory(file);
    EpochMetrics row = new EpochMetrics(1, 0.5, Double.NaN, Double.NaN, 0.1, 0.01, new double[] {1});
    InvalidInputException thrown = assertThrows(InvalidInputException.class, () -> metrics.add(row));
    assertTrue(thrown.getMessage().startsWith("cannot write " + file + ": "), thrown.getMessage());
  }
}
