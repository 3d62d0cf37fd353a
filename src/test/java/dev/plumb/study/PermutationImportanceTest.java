package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.backend.Backend;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Column;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.golden.Golden;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Importance;
import dev.plumb.train.ImportanceOptions;
import dev.plumb.train.Metric;
import dev.plumb.train.PermutedScoring;
import dev.plumb.train.TablePredictor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class PermutationImportanceTest {
  private static final RowWeights WEIGHTED = new RowWeights(Optional.of("weight"), Optional.empty());
  private static final int ROWS = 5000;

  private record Case(TrainedModel model, Table table, RowWeights weights) {}

  static Stream<Named<JsonNode>> goldenCases() {
    return Golden.list(Golden.read("importance.json").get("cases")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void importancesAreThoseOfScikitLearn(JsonNode golden) {
    Case made = read(golden);
    List<String> names = made.model().encoding().features().stream().map(FeatureColumn::name).toList();
    golden.get("metrics").properties().forEach(entry -> {
      Metric metric = Metric.of(entry.getKey());
      JsonNode expected = entry.getValue();
      Importance importance = importance(new ReferenceBackend(), made, metric, golden.get("repeats").intValue(),
          golden.get("seed").longValue());
      assertEquals(expected.get("score").doubleValue(), importance.score(), 1e-12, metric.key());
      assertEquals(names.size(), importance.columns().size());
      for (Importance.Column column : importance.columns()) {
        int index = names.indexOf(column.name());
        String what = metric.key() + " of " + column.name();
        JsonNode values = expected.get("importances").get(index);
        assertEquals(values.size(), column.values().size(), what);
        for (int repeat = 0; repeat < values.size(); repeat++) {
          assertEquals(values.get(repeat).doubleValue(), column.values().get(repeat), 1e-12, what + ", repeat " + repeat);
        }
        assertEquals(expected.get("mean").get(index).doubleValue(), column.mean(), 1e-12, what);
        assertEquals(expected.get("std").get(index).doubleValue(), column.deviation(), 1e-12, what);
        if (column.name().equals("ignored") || column.name().equals("constant")) {
          column.values().forEach(value -> assertEquals(0.0, value, what));
        }
      }
    });
  }

  @Test
  void columnsAreInDescendingOrderWithStudentsInterval() {
    Importance importance = importance(new ReferenceBackend(), mixed(), Metric.LOG_LOSS, 10, 42);
    List<Double> means = importance.columns().stream().map(Importance.Column::mean).toList();
    List<Double> sorted = new ArrayList<>(means);
    sorted.sort(Collections.reverseOrder());
    assertEquals(sorted, means);
    for (Importance.Column column : importance.columns()) {
      // Sample standard deviation / √10 = population standard deviation / √9; t(9) at 0.975.
      double half = 2.262157162740992 * column.deviation() / 3;
      assertEquals(column.mean() - half, column.low(), 1e-9);
      assertEquals(column.mean() + half, column.high(), 1e-9);
    }
    Importance.Column single = importance(new ReferenceBackend(), mixed(), Metric.LOG_LOSS, 1, 42).columns().get(0);
    assertTrue(Double.isNaN(single.low()) && Double.isNaN(single.high()));
    assertEquals(0, single.deviation());
  }

  @Test
  void threadsAndOrderOfColumnsDoNotMatter() {
    Case made = mixed();
    Importance one = importance(cpu(1), made, Metric.LOG_LOSS, 5, 42);
    assertEquals(one, importance(cpu(2), made, Metric.LOG_LOSS, 5, 42));
    List<Column> columns = new ArrayList<>(made.table().columns());
    Collections.reverse(columns);
    assertEquals(one, importance(cpu(1), new Case(made.model(), Table.of(columns), made.weights()), Metric.LOG_LOSS, 5, 42));
    Importance reference = importance(new ReferenceBackend(), made, Metric.LOG_LOSS, 5, 42);
    for (int i = 0; i < one.columns().size(); i++) {
      assertEquals(reference.columns().get(i).name(), one.columns().get(i).name());
      assertEquals(reference.columns().get(i).mean(), one.columns().get(i).mean(), 1e-9);
    }
    assertTrue(!one.equals(importance(cpu(1), made, Metric.LOG_LOSS, 5, 43)));
  }

  /** Encoded rows whose inputs are permuted, in several pieces, give the scores of a table whose column is permuted. */
  @ParameterizedTest
  @EnumSource(Metric.class)
  void permutedInputsScoreAsPermutedTable(Metric metric) {
    Case made = wide(metric.appliesTo(Task.CLASSIFICATION));
    int[] order = new NumpyRandom(5).permutation(ROWS);
    try (Backend backend = cpu(2); TablePredictor predictor = new TablePredictor(backend, made.model(), Precision.FP32)) {
      assertTrue(predictor.pieces(made.table()).size() > 2);
      PermutedScoring scoring = predictor.permuted(metric, made.table(), made.weights());
      double tolerance = metric == Metric.LOSS ? 1e-6 : 0;
      assertEquals(predictor.score(made.table(), made.weights()).value(metric), scoring.score(), tolerance);
      for (int feature = 0; feature < scoring.features().size(); feature++) {
        Column permuted = made.table().rows(order).column(scoring.features().get(feature).name());
        Table table = Table.of(made.table().columns().stream()
            .map(column -> column.name().equals(permuted.name()) ? ofRows(permuted) : column).toList());
        double score = predictor.score(table, made.weights()).value(metric);
        assertEquals(score, scoring.score(feature, order), tolerance, permuted.name());
        if (feature < 2) {
          assertTrue(score != scoring.score(), permuted.name());
        } else {
          assertEquals(scoring.score(), scoring.score(feature, order), "ignored");
        }
      }
      // The rows are not changed.
      assertEquals(predictor.score(made.table(), made.weights()).value(metric), scoring.score(), tolerance);
    }
  }

  @Test
  void rowsThatCannotBeScoredAreRefused() {
    Case one = read(golden("two rows"));
    Case single = new Case(one.model(), one.table().rows(new int[] {0}), one.weights());
    assertEquals("there is only 1 row; permuting a column needs at least 2", refusal(single, Metric.ACCURACY));
    Case oneClass = read(golden("only one of two classes occurs"));
    assertEquals("metric roc_auc is undefined for these rows, which lack a class; use another metric, such as accuracy, or add rows",
        refusal(oneClass, Metric.ROC_AUC));
    assertEquals("metric mae is for numbers, but the target has classes; use loss, accuracy, balanced_accuracy, macro_f1, log_loss,"
        + " roc_auc, pr_auc, matthews", assertThrows(InvalidInputException.class,
            () -> ImportanceOptions.DEFAULT.withMetric(Metric.MAE).metric(Task.CLASSIFICATION)).getMessage());
    assertEquals("repeats 0: must be an integer from 1 to 1000",
        assertThrows(InvalidInputException.class, () -> ImportanceOptions.DEFAULT.withRepeats(0)).getMessage());
    assertEquals("seed -1: must be an integer from 0 to 4294967295",
        assertThrows(InvalidInputException.class, () -> ImportanceOptions.DEFAULT.withSeed(-1)).getMessage());
  }

  /** In every row the two large terms cancel each other out; after the permutation they do not. */
  @Test
  void overflowAfterPermutationIsReported() {
    List<FeatureColumn> features = List.of(number("a"), number("b"));
    TableEncoding encoding = new TableEncoding(features, new TargetEncoding.Numbers(List.of("y"), new double[] {0}, new double[] {1}));
    TrainedModel model = new TrainedModel(NetworkSpec.of(Activation.LINEAR, 2, 1), Loss.MSE, Precision.FP32, encoding,
        new double[] {1e38, -1e38, 0}, new TreeMap<>());
    double[] values = IntStream.range(0, 20).mapToDouble(row -> row % 2 == 0 ? 3 : -3).toArray();
    Table table = Table.of(List.of(Column.ofNumbers("a", values), Column.ofNumbers("b", values), Column.ofNumbers("y", new double[20])));
    try (Backend backend = cpu(1); TablePredictor predictor = new TablePredictor(backend, model, Precision.FP32)) {
      PermutedScoring scoring = predictor.permuted(Metric.MAE, table, RowWeights.NONE);
      assertTrue(Double.isFinite(scoring.score()));
      String message = assertThrows(InvalidInputException.class, () -> PermutationImportance.of(scoring, 3, 42, done -> {})).getMessage();
      assertTrue(message.matches("with column \"a\" permuted: row \\d+, where column \"[ab]\" is -?3: the network's outputs are not"
          + " finite there; correct the row or leave it out"), message);
    }
  }

  private static String refusal(Case made, Metric metric) {
    return assertThrows(InvalidInputException.class, () -> importance(new ReferenceBackend(), made, metric, 2, 1)).getMessage();
  }

  private static Importance importance(Backend opened, Case made, Metric metric, int repeats, long seed) {
    List<Integer> done = new ArrayList<>();
    try (Backend backend = opened; TablePredictor predictor = new TablePredictor(backend, made.model(), Precision.FP64)) {
      PermutedScoring scoring = predictor.permuted(metric, made.table(), made.weights());
      Importance importance = PermutationImportance.of(scoring, repeats, seed, done::add);
      assertEquals(IntStream.rangeClosed(1, repeats * scoring.features().size()).boxed().toList(), done);
      return importance;
    }
  }

  private static Backend cpu(int threads) {
    return new CpuBackend(CpuOptions.standard().withThreads(threads), note -> {});
  }

  private static JsonNode golden(String name) {
    return Golden.list(Golden.read("importance.json").get("cases")).stream()
        .filter(node -> node.get("name").textValue().equals(name)).findFirst().orElseThrow();
  }

  private static Case mixed() {
    return read(golden("three classes, text and missing values"));
  }

  private static FeatureColumn number(String name) {
    return new FeatureColumn.Numeric(name, 0, 1, OptionalDouble.empty(), false);
  }

  /** Returns a column with the same values in a table of its own. */
  private static Column ofRows(Column column) {
    return column.isNumeric() ? Column.ofNumbers(column.name(), IntStream.range(0, ROWS).mapToDouble(column::number).toArray())
        : Column.ofText(column.name(), IntStream.range(0, ROWS).mapToObj(column::text).toArray(String[]::new));
  }

  /** So many categories that the rows are scored in several pieces, a number with missing values, and a column without weights. */
  private static Case wide(boolean classes) {
    int categories = 500;
    NumpyRandom random = new NumpyRandom(1);
    String[] texts = IntStream.range(0, ROWS).mapToObj(row -> "c" + random.interval(categories - 1)).toArray(String[]::new);
    double[] numbers = IntStream.range(0, ROWS).mapToDouble(row -> row % 7 == 0 ? Double.NaN : random.standardNormal()).toArray();
    double[] ignored = IntStream.range(0, ROWS).mapToDouble(row -> random.standardNormal()).toArray();
    double[] weights = IntStream.range(0, ROWS).mapToDouble(row -> random.uniform(0.5, 2)).toArray();
    Column target = classes
        ? Column.ofText("y", IntStream.range(0, ROWS).mapToObj(row -> "k" + random.interval(2)).toArray(String[]::new))
        : Column.ofNumbers("y", IntStream.range(0, ROWS).mapToDouble(row -> random.standardNormal()).toArray());
    List<FeatureColumn> features = List.of(
        new FeatureColumn.Categorical("text", IntStream.range(0, categories).mapToObj(i -> "c" + i).toList(), Optional.empty(), false),
        new FeatureColumn.Numeric("number", 0.5, 2, OptionalDouble.of(0.25), true),
        number("ignored"));
    TargetEncoding encoded = classes ? new TargetEncoding.Classes("y", List.of("k0", "k1", "k2"))
        : new TargetEncoding.Numbers(List.of("y"), new double[] {1}, new double[] {2});
    int inputs = categories + 3;
    NetworkSpec network = NetworkSpec.of(Activation.TANH, inputs, 8, encoded.outputs());
    double[] parameters = new double[ParameterLayout.of(network).size()];
    Arrays.setAll(parameters, i -> i < 8 * inputs && i % inputs == inputs - 1 ? 0 : (float) random.standardNormal());
    TrainedModel model = new TrainedModel(network, classes ? Loss.CROSS_ENTROPY : Loss.MSE, Precision.FP32,
        new TableEncoding(features, encoded), parameters, new TreeMap<>());
    return new Case(model, Table.of(List.of(Column.ofText("text", texts), Column.ofNumbers("number", numbers),
        Column.ofNumbers("ignored", ignored), Column.ofNumbers("weight", weights), target)), WEIGHTED);
  }

  private static Case read(JsonNode golden) {
    List<FeatureColumn> features = new ArrayList<>();
    List<Column> columns = new ArrayList<>();
    for (JsonNode node : golden.get("columns")) {
      String name = node.get("name").textValue();
      boolean indicator = node.get("indicator").booleanValue();
      if (node.has("numbers")) {
        OptionalDouble fill = node.get("fill").isNull() ? OptionalDouble.empty() : OptionalDouble.of(node.get("fill").doubleValue());
        features.add(new FeatureColumn.Numeric(name, node.get("mean").doubleValue(), node.get("scale").doubleValue(), fill, indicator));
        columns.add(Column.ofNumbers(name, Golden.list(node.get("numbers")).stream()
            .mapToDouble(value -> value.isNull() ? Double.NaN : value.doubleValue()).toArray()));
      } else {
        List<String> categories = Golden.list(node.get("categories")).stream().map(JsonNode::textValue).toList();
        features.add(new FeatureColumn.Categorical(name, categories, Optional.empty(), indicator));
        columns.add(Column.ofText(name, Golden.list(node.get("texts")).stream().map(JsonNode::textValue).toArray(String[]::new)));
      }
    }
    TargetEncoding target = target(golden, columns);
    boolean weighted = !golden.get("weights").isNull();
    if (weighted) {
      columns.add(Column.ofNumbers("weight", Golden.flat(golden.get("weights"))));
    }
    TableEncoding encoding = new TableEncoding(features, target);
    List<Integer> widths = new ArrayList<>(List.of(encoding.inputs()));
    golden.get("b").forEach(layer -> widths.add(layer.size()));
    TrainedModel model = new TrainedModel(NetworkSpec.of(Activation.TANH, widths.stream().mapToInt(i -> i).toArray()),
        Loss.of(golden.get("loss").textValue()), Precision.FP64, encoding, Golden.parameters(golden.get("W"), golden.get("b")),
        new TreeMap<>());
    return new Case(model, Table.of(columns), weighted ? WEIGHTED : RowWeights.NONE);
  }

  private static TargetEncoding target(JsonNode golden, List<Column> columns) {
    if (golden.has("classes")) {
      columns.add(Column.ofText("class", Golden.list(golden.get("target")).stream().map(JsonNode::asText).toArray(String[]::new)));
      return new TargetEncoding.Classes("class", IntStream.range(0, golden.get("classes").intValue()).mapToObj(Integer::toString).toList());
    }
    double[] mean = Golden.flat(golden.get("mean"));
    List<String> names = IntStream.range(0, mean.length).mapToObj(i -> "y" + i).toList();
    for (int i = 0; i < mean.length; i++) {
      int index = i;
      columns.add(Column.ofNumbers(names.get(i), Golden.list(golden.get("target")).stream()
          .mapToDouble(row -> row.get(index).doubleValue()).toArray()));
    }
    return new TargetEncoding.Numbers(names, mean, Golden.flat(golden.get("scale")));
  }
}
