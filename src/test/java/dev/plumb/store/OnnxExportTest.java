package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.plumb.data.Column;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TableReader;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exported models run by onnxruntime on the raw columns, against the reference backend behind Plumb's own encoding. */
class OnnxExportTest {
  /** Of probabilities, and of predictions in units of their target's scale. */
  private static final double ALLOWED = 1e-5;
  /** Where nothing is in single precision. */
  private static final double ALLOWED_IN_DOUBLE = 1e-12;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void everyActivationPredictsTheSame(Activation activation) throws Exception {
    Table table = numericTable(41, 5, 1.5);
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      for (int targets : new int[] {1, 3}) {
        TableEncoding encoding = new TableEncoding(Models.numericColumns(5), Models.numbers(targets));
        assertSame(Models.model(activation, Loss.MSE, precision, encoding, 16, 7), table);
      }
      for (int classes = 2; classes <= 5; classes++) {
        TableEncoding encoding = new TableEncoding(Models.numericColumns(5), Models.classes(classes));
        assertSame(Models.model(activation, Loss.CROSS_ENTROPY, precision, encoding, 16, 7), table);
        assertSame(Models.model(activation, Loss.BINARY_CROSS_ENTROPY, precision, encoding, 9), table);
      }
      TableEncoding shares = new TableEncoding(Models.numericColumns(5),
          new TargetEncoding.Numbers(List.of("a", "b"), new double[2], new double[] {1, 1}));
      assertSame(Models.model(activation, Loss.BINARY_CROSS_ENTROPY, precision, shares, 9), table);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyNormalizationPredictsTheSameWithAndWithoutResiduals(Normalization normalization) throws Exception {
    Table table = numericTable(41, 5, 1.5);
    for (Activation activation : Activation.values()) {
      for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
        for (boolean residual : new boolean[] {false, true}) {
          assertSame(Models.model(activation, normalization, residual, Loss.MSE, precision,
              new TableEncoding(Models.numericColumns(5), Models.numbers(2)), 5, 5, 7), table, 20);
          assertSame(Models.model(activation, normalization, residual, Loss.CROSS_ENTROPY, precision,
              new TableEncoding(Models.numericColumns(5), Models.classes(3)), 6, 6), table);
          assertSame(Models.model(activation, normalization, residual, Loss.BINARY_CROSS_ENTROPY, precision,
              new TableEncoding(Models.numericColumns(5), Models.classes(2)), 5, 4), table);
        }
      }
    }
  }

  @Test
  void batchNormalizationTakesNoOperator() throws IOException {
    TableEncoding encoding = new TableEncoding(Models.numericColumns(5), Models.numbers(2));
    String batch = exported(Normalization.BATCH, Precision.FP32, encoding);
    String layer = exported(Normalization.LAYER, Precision.FP32, encoding);
    assertFalse(batch.contains("BatchNormalization") || batch.contains("LayerNormalization"), "folded into the weights");
    assertTrue(layer.contains("LayerNormalization"));
    assertFalse(exported(Normalization.LAYER, Precision.FP64, encoding).contains("LayerNormalization"));
    assertTrue(batch.contains("plumb.normalization"));
  }

  private static String exported(Normalization normalization, Precision precision, TableEncoding encoding) throws IOException {
    return new String(bytes(Models.model(Activation.RELU, normalization, false, Loss.MSE, precision, encoding, 4)),
        StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @EnumSource
  void functionsStayRightFarFromZero(Activation activation) throws Exception {
    Table table = numericTable(41, 5, 800);
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      // One layer behind the activation, so that its largest values come out as they are.
      TableEncoding encoding = new TableEncoding(Models.numericColumns(5), Models.numbers(2));
      assertSame(Models.model(activation, Loss.MAE, precision, encoding, 12), table, 800);
      TableEncoding classes = new TableEncoding(Models.numericColumns(5), Models.classes(3));
      assertSame(Models.model(activation, Loss.CROSS_ENTROPY, precision, classes, 12), table);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"iris.csv", "wine.csv", "breast_cancer.csv", "diabetes.csv", "digits.csv.gz"})
  void realTablesGoFromTheFileToTheSamePredictions(String name) throws Exception {
    Table table = TableReader.read(Path.of("src/test/resources/tables", name), ReadOptions.DEFAULT);
    TableEncoding encoding = TableEncoding.fit(table, EncodingOptions.DEFAULT.resolve(table));
    Loss loss = encoding.task() == Task.CLASSIFICATION ? Loss.CROSS_ENTROPY : Loss.MSE;
    Path file = folder.resolve("model.safetensors");
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      ModelFile.write(file, Models.model(Activation.TANH, loss, precision, encoding, 30, 20));
      assertSame(ModelFile.read(file), table);
    }
  }

  @Test
  void textColumnsAreSeparateInputs() throws Exception {
    Table table = Table.of(List.of(
        Column.ofText("colour", "red", "blue", "größer", "violet", "blue"),
        Column.ofNumbers("label", 1.6e9 + 1, 1.6e9 - 4, Double.NaN, 1.6e9, 1.6e9),
        Column.ofText("", "yes", "no", null, null, "perhaps")));
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      TableEncoding encoding = new TableEncoding(Models.mixedColumns(), Models.classes(3));
      TrainedModel model = Models.model(Activation.SILU, Loss.CROSS_ENTROPY, precision, encoding, 6);
      assertSame(model, table);
      try (OrtSession session = session(model)) {
        assertEquals(List.of("colour", "label", "_"), List.copyOf(session.getInputNames()));
        assertEquals(List.of("label_", "probabilities"), List.copyOf(session.getOutputNames()), "the column came first");
      }
    }
  }

  @Test
  void missingNumbersAreFilledInColumnByColumn() throws Exception {
    List<FeatureColumn> columns = List.of(
        new FeatureColumn.Numeric("a", 1, 2, OptionalDouble.of(3), false),
        new FeatureColumn.Numeric("b", 0, 1, OptionalDouble.empty(), false),
        new FeatureColumn.Numeric("c", -5, 0.5, OptionalDouble.of(-4), false));
    TableEncoding encoding = new TableEncoding(columns, Models.numbers(1));
    TrainedModel model = Models.model(Activation.RELU, Loss.MSE, Precision.FP64, encoding, 4);
    double nan = Double.NaN;
    assertSame(model, Table.of(List.of(Column.ofNumbers("a", 1, nan, 2, nan), Column.ofNumbers("b", 1, 2, 3, 4),
        Column.ofNumbers("c", -5, -6, nan, nan))));
    try (OrtSession session = session(model)) {
      double[] results = run(session, model, Table.of(List.of(
          Column.ofNumbers("a", 1), Column.ofNumbers("b", nan), Column.ofNumbers("c", 1)))).results();
      assertTrue(Double.isNaN(results[0]), "without a fill a missing number gives no number");
    }
  }

  @Test
  void missingValuesHaveTheirIndicators() throws Exception {
    double nan = Double.NaN;
    FeatureColumn a = new FeatureColumn.Numeric("a", 1, 2, OptionalDouble.of(3), true);
    FeatureColumn b = new FeatureColumn.Numeric("b", 0, 1, OptionalDouble.of(7), false);
    FeatureColumn c = new FeatureColumn.Numeric("c", -5, 0.5, OptionalDouble.of(-4), true);
    FeatureColumn color = new FeatureColumn.Categorical("color", List.of("blue", "red"), Optional.empty(), true);
    Column numbersA = Column.ofNumbers("a", 1, nan, 2, nan);
    Column numbersB = Column.ofNumbers("b", 1, 2, nan, 4);
    Column numbersC = Column.ofNumbers("c", -5, -6, nan, nan);
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      assertSame(Models.model(Activation.TANH, Loss.MSE, precision, new TableEncoding(List.of(a, b, c), Models.numbers(1)), 4),
          Table.of(List.of(numbersA, numbersB, numbersC)));
      assertSame(Models.model(Activation.TANH, Loss.CROSS_ENTROPY, precision,
          new TableEncoding(List.of(color, a, b, c), Models.classes(3)), 4), Table.of(List.of(numbersA, numbersB, numbersC,
              Column.ofText("color", "red", null, "violet", "blue"))));
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsThatCannotBeComputedHaveNoLabel(Activation activation) throws Exception {
    double nan = Double.NaN;
    // 1e300 and -1e300 are infinite in single precision, and cancel each other in some unit of the first layer.
    Table table = Table.of(List.of(
        Column.ofNumbers("x0", 1, nan, 1, 1e300, 1), Column.ofNumbers("x1", 2000, 2000, nan, -1e300, 1997)));
    boolean[] computed = {true, false, false, false, true};
    for (Loss loss : List.of(Loss.CROSS_ENTROPY, Loss.BINARY_CROSS_ENTROPY)) {
      for (int classes = 2; classes <= 4; classes++) {
        TrainedModel model = Models.model(activation, loss, Precision.FP32,
            new TableEncoding(Models.numericColumns(2), Models.classes(classes)), 16, 7);
        try (OrtSession session = session(model)) {
          Predicted predicted = run(session, model, table);
          for (int row = 0; row < computed.length; row++) {
            String what = activation + " " + loss + ", " + classes + " classes, row " + row;
            double[] shares = Arrays.copyOfRange(predicted.results(), row * classes, (row + 1) * classes);
            assertEquals(computed[row], Arrays.stream(shares).noneMatch(Double::isNaN), what);
            int best = IntStream.range(0, classes).reduce(0, (a, b) -> shares[b] > shares[a] ? b : a);
            assertEquals(computed[row] ? model.classNames().get(best) : "", predicted.labels()[row], what);
          }
        }
      }
    }
    TrainedModel regression = Models.model(activation, Loss.MSE, Precision.FP32,
        new TableEncoding(Models.numericColumns(2), Models.numbers(2)), 16, 7);
    try (OrtSession session = session(regression)) {
      double[] results = run(session, regression, table).results();
      for (int row = 0; row < computed.length; row++) {
        assertEquals(computed[row], Double.isFinite(results[2 * row]) && Double.isFinite(results[2 * row + 1]),
            activation + " row " + row);
      }
    }
  }

  @Test
  void batchOfAnySizeIsTaken() throws Exception {
    TrainedModel model = Models.model(Activation.GELU, Loss.CROSS_ENTROPY, Precision.FP32,
        new TableEncoding(Models.numericColumns(3), Models.classes(3)), 8);
    for (int rows : new int[] {1, 2, 127, 1000}) {
      assertSame(model, numericTable(rows, 3, 1));
    }
    try (OrtSession session = session(model)) {
      assertArrayEquals(new long[] {-1, 3}, shape(session.getInputInfo().get("features")));
      assertArrayEquals(new long[] {-1}, shape(session.getOutputInfo().get("label")));
      assertArrayEquals(new long[] {-1, 3}, shape(session.getOutputInfo().get("probabilities")));
    }
  }

  @Test
  void metadataDescribesTheModel() throws Exception {
    TrainedModel model = Models.model(Activation.ELU, Loss.CROSS_ENTROPY, Precision.FP32,
        new TableEncoding(Models.numericColumns(2), Models.classes(2)), 3);
    try (OrtSession session = session(model)) {
      Map<String, String> texts = session.getMetadata().getCustomMetadata();
      assertEquals("[\"x0\",\"x1\"]", texts.get("plumb.features"));
      assertEquals("[\"class, \\\"0\\\"\",\"class, \\\"1\\\"\"]", texts.get("plumb.classes"));
      assertEquals("elu", texts.get("plumb.activation"));
      model.manifest().forEach((key, value) -> assertEquals(value, texts.get("manifest." + key)));
      assertEquals("plumb", session.getMetadata().getProducerName());
    }
    TrainedModel regression = Models.model(Activation.ELU, Loss.MSE, Precision.FP32,
        new TableEncoding(Models.numericColumns(2), Models.numbers(2)));
    try (OrtSession session = session(regression)) {
      assertEquals("[\"y0\",\"y1\"]", session.getMetadata().getCustomMetadata().get("plumb.targets"));
    }
  }

  @Test
  void sameModelGivesTheSameBytes() throws IOException {
    assertArrayEquals(bytes(Models.small(Precision.FP64)), bytes(Models.small(Precision.FP64)));
  }

  /** Results by rows, and the labels of a classification. */
  private record Predicted(double[] results, String[] labels) {}

  private static void assertSame(TrainedModel model, Table table) throws Exception {
    assertSame(model, table, 1);
  }

  /** @param largest how many times its target's scale the values are within a network whose predictions are compared */
  private static void assertSame(TrainedModel model, Table table, double largest) throws Exception {
    double[] expected = Models.results(model, table);
    String what = model.network().activation() + " " + model.loss() + " " + model.precision() + " " + model.network().shape()
        + model.network().additions();
    try (OrtSession session = session(model)) {
      Predicted predicted = run(session, model, table);
      assertEquals(expected.length, predicted.results().length, what);
      boolean allDouble = model.precision() == Precision.FP64 && model.network().activation() != Activation.GELU;
      for (int i = 0; i < expected.length; i++) {
        double unit = model.encoding().target() instanceof TargetEncoding.Numbers numbers
            ? Math.max(numbers.scale()[i % numbers.outputs()] * largest, Math.abs(expected[i]))
            : 1;
        double error = Math.abs(predicted.results()[i] - expected[i]) / unit;
        assertTrue(error <= (allDouble ? ALLOWED_IN_DOUBLE : ALLOWED),
            what + "[" + i + "]: expected " + expected[i] + ", got " + predicted.results()[i]);
      }
      List<String> names = model.classNames();
      if (!names.isEmpty()) {
        String[] labels = Arrays.stream(model.labels(predicted.results())).mapToObj(names::get).toArray(String[]::new);
        assertArrayEquals(labels, predicted.labels(), what);
      }
    }
  }

  private static Predicted run(OrtSession session, TrainedModel model, Table table) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      for (Map.Entry<String, NodeInfo> input : session.getInputInfo().entrySet()) {
        boolean words = ((TensorInfo) input.getValue().getInfo()).type == OnnxJavaType.STRING;
        // All columns of numbers in one input, or one column, whose empty name cannot be an input's.
        List<Column> columns = input.getKey().equals("features") ? columns(model, table)
            : List.of(table.column(input.getKey().equals("_") ? "" : input.getKey()));
        inputs.put(input.getKey(), words ? OnnxTensor.createTensor(environment, words(columns.get(0)))
            : OnnxTensor.createTensor(environment, numbers(columns)));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        if (model.classNames().isEmpty()) {
          return new Predicted(flat((double[][]) result.get("predictions").orElseThrow().getValue()), null);
        }
        String label = session.getOutputNames().iterator().next();
        return new Predicted(flat((double[][]) result.get("probabilities").orElseThrow().getValue()),
            (String[]) result.get(label).orElseThrow().getValue());
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static List<Column> columns(TrainedModel model, Table table) {
    return model.encoding().features().stream().map(feature -> table.column(feature.name())).toList();
  }

  private static double[][] numbers(List<Column> columns) {
    return IntStream.range(0, columns.get(0).rows())
        .mapToObj(row -> columns.stream().mapToDouble(column -> column.number(row)).toArray())
        .toArray(double[][]::new);
  }

  private static String[][] words(Column column) {
    return IntStream.range(0, column.rows())
        .mapToObj(row -> new String[] {column.isMissing(row) ? "" : column.text(row)})
        .toArray(String[][]::new);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  /** Columns whose standardized values are normal, of the given width. */
  private static Table numericTable(int rows, int columns, double width) {
    NumpyRandom random = new NumpyRandom(3);
    List<Column> made = new ArrayList<>();
    for (FeatureColumn column : Models.numericColumns(columns)) {
      FeatureColumn.Numeric numeric = (FeatureColumn.Numeric) column;
      double[] values = new double[rows];
      Arrays.setAll(values, i -> numeric.mean() + numeric.scale() * width * random.standardNormal());
      made.add(Column.ofNumbers(numeric.name(), values));
    }
    return Table.of(made);
  }

  private static OrtSession session(TrainedModel model) throws OrtException, IOException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      return OrtEnvironment.getEnvironment().createSession(bytes(model), options);
    }
  }

  private static byte[] bytes(TrainedModel model) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OnnxExport.write(out, model);
    return out.toByteArray();
  }

  private static long[] shape(NodeInfo info) {
    return ((TensorInfo) info.getInfo()).getShape();
  }
}
