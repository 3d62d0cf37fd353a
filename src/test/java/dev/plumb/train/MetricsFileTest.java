package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  @Test
  void fileIsReadAsItWasWritten() {
    Path file = folder.resolve("metrics.csv");
    List<EpochMetrics> rows = List.of(new EpochMetrics(1, 0.5, Double.NaN, Double.NaN, 0.1, 0.01, new double[] {1, Double.NaN}),
        new EpochMetrics(2, Double.POSITIVE_INFINITY, 0.25, -1e-300, 0.1, 0.01, new double[] {0, 2}));
    MetricsFile.begin(file, "macro_f1", rows.subList(0, 1), 2).add(rows.get(1));
    MetricsFile.Contents contents = MetricsFile.read(file);
    assertEquals(Metric.MACRO_F1, contents.metric());
    assertEquals(rows.toString().replaceAll("\\[D@\\w+", ""), contents.epochs().toString().replaceAll("\\[D@\\w+", ""));
    assertArrayEquals(new double[] {1, Double.NaN}, contents.epochs().get(0).gradientNorms());
    assertArrayEquals(new double[] {0, 2}, contents.epochs().get(1).gradientNorms());
  }

  @Test
  void lineWithoutLineFeedIsNotYetWritten() throws IOException {
    Path file = folder.resolve("metrics.csv");
    MetricsFile.begin(file, "r2", RunFolders.epochs(2), 1);
    Files.writeString(file, "3,0.1,0.", StandardOpenOption.APPEND);
    assertEquals(2, MetricsFile.read(file).epochs().size());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "'' | : line 1: is not the header of a run's metrics, epoch,train_loss,validation_loss,...",
      "'a,b\n' | : line 1: is not the header of a run's metrics, epoch,train_loss,validation_loss,...",
      "'epoch,train_loss,validation_loss,r3,learning_rate,seconds\n' | : line 1: unknown metric \"r3\" (did you mean \"r2\"?); one of loss",
      "'HEADER1,1,1,1,1\n' | : line 2: must be epoch 1 with 5 figures",
      "'HEADER2,1,1,1,1,1\n' | : line 2: must be epoch 1 with 5 figures",
      "'HEADER1,1,1,1,1,1\n2,x,1,1,1,1\n' | : line 3: must be epoch 2 with 5 figures"})
  void damagedFileIsReportedWithItsLine(String text, String message) throws IOException {
    Path file = folder.resolve("metrics.csv");
    Files.writeString(file, text.replace("HEADER", "epoch,train_loss,validation_loss,r2,learning_rate,seconds\n").replace("\\n", "\n"));
    InvalidInputException thrown = assertThrows(InvalidInputException.class, () -> MetricsFile.read(file));
    assertTrue(thrown.getMessage().startsWith(file + message), thrown.getMessage());
  }
}
