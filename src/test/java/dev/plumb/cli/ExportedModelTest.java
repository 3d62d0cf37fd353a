package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Activation;
import dev.plumb.model.Normalization;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An exported ONNX model makes the same predictions in onnxruntime as {@code plumb predict}. */
class ExportedModelTest {
  private static final Path TABLES = Path.of("src/test/resources/tables").toAbsolutePath();

  /** The tolerance: absolute for probabilities, relative for numbers. */
  private static final double ALLOWED = 1e-5;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void onnxruntimePredictsClassesAsPlumbDoes(Activation activation) throws Exception {
    Path table = TABLES.resolve("wine.csv");
    assertPredictsClasses(trainedAndExported(table, activation), table);
  }

  /** With a share of validation rows, and by the folds of a small table. */
  @ParameterizedTest
  @ValueSource(strings = {"0.2", "auto"})
  void onnxruntimePredictsCalibratedClassesAsPlumbDoes(String validation) throws Exception {
    Path table = TABLES.resolve("wine.csv");
    Path model = trainedAndExported(table, "--layers", "16,8", "--device", "cpu", "--calibrate", "--config",
        "{\"validation\":" + (validation.equals("auto") ? "\"auto\"" : validation) + "}");
    assertPredictsClasses(model, table);
  }

  private void assertPredictsClasses(Path model, Path table) throws Exception {
    List<String[]> predicted = predicted(table, "cpu");
    try (OrtSession session = OrtEnvironment.getEnvironment().createSession(model.toString());
        OnnxTensor features = features(table);
        OrtSession.Result result = session.run(Map.of("features", features))) {
      String[] labels = (String[]) result.get("label").orElseThrow().getValue();
      double[][] probabilities = (double[][]) result.get("probabilities").orElseThrow().getValue();
      assertEquals(predicted.size(), labels.length);
      for (int row = 0; row < labels.length; row++) {
        assertEquals(predicted.get(row)[0], labels[row], "row " + row);
        for (int c = 0; c < probabilities[row].length; c++) {
          assertEquals(Double.parseDouble(predicted.get(row)[c + 1]), probabilities[row][c], ALLOWED, "row " + row + ", class "
              + c);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void onnxruntimePredictsNumbersAsPlumbDoes(Activation activation) throws Exception {
    Path table = TABLES.resolve("diabetes.csv");
    assertPredictsNumbers(trainedAndExported(table, activation), table, predicted(table, "cpu"));
  }

  @ParameterizedTest
  @EnumSource
  void onnxruntimePredictsWithNormalizationAndResidualsAsPlumbDoes(Normalization normalization) throws Exception {
    Path table = TABLES.resolve("diabetes.csv");
    Path model = trainedAndExported(table, "--layers", "10,10,8", "--normalization", normalization.key(), "--residual",
        "--validation", "0.1", "--device", "reference");
    assertPredictsNumbers(model, table, predicted(table, "reference"));
  }

  private static void assertPredictsNumbers(Path model, Path table, List<String[]> predicted) throws Exception {
    try (OrtSession session = OrtEnvironment.getEnvironment().createSession(model.toString());
        OnnxTensor features = features(table);
        OrtSession.Result result = session.run(Map.of("features", features))) {
      double[][] numbers = (double[][]) result.get("predictions").orElseThrow().getValue();
      assertEquals(predicted.size(), numbers.length);
      for (int row = 0; row < numbers.length; row++) {
        double expected = Double.parseDouble(predicted.get(row)[0]);
        assertEquals(expected, numbers[row][0], ALLOWED * Math.abs(expected), "row " + row);
      }
    }
  }

  private Path trainedAndExported(Path table, Activation activation) {
    return trainedAndExported(table, "--layers", "16,8", "--activation", activation.key(), "--device", "cpu");
  }

  private Path trainedAndExported(Path table, String... options) {
    List<String> command = new ArrayList<>(List.of("train", table.toString(), "--epochs", "3", "--runs", folder.toString(), "--name",
        "run", "--quiet"));
    command.addAll(List.of(options));
    run(command.toArray(String[]::new));
    Path model = folder.resolve("model.onnx");
    run("export", folder.resolve("run-1").toString(), model.toString());
    return model;
  }

  /** The rows that predict writes, without their head. */
  private List<String[]> predicted(Path table, String device) throws Exception {
    Path out = folder.resolve("predicted.csv");
    run("predict", folder.resolve("run-1").toString(), table.toString(), "--out", out.toString(), "--device", device);
    List<String> lines = Files.readAllLines(out);
    return lines.subList(1, lines.size()).stream().map(line -> line.split(",")).toList();
  }

  private static void run(String... arguments) {
    Plumbed ran = Plumbed.run(arguments);
    assertEquals(0, ran.code(), ran.err());
  }

  /** Returns all columns except the last, which is the target, as text. */
  private static OnnxTensor features(Path file) throws Exception {
    Table table = TableReader.read(file, ReadOptions.DEFAULT);
    double[][] values = new double[table.rows()][table.columns().size() - 1];
    assertTrue(values[0].length > 1);
    for (int row = 0; row < values.length; row++) {
      for (int c = 0; c < values[row].length; c++) {
        values[row][c] = table.columns().get(c).number(row);
      }
    }
    return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), values);
  }
}
