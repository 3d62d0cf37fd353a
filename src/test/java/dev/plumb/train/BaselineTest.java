package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Column;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BaselineTest {
  private static final String[] NAMES = {"ant", "bee", "cat"};
  private static final int[] COUNTS = {2, 5, 3};

  private static double[] proportions(int classes) {
    double total = Arrays.stream(COUNTS, 0, classes).sum();
    return Arrays.stream(COUNTS, 0, classes).mapToDouble(count -> count / total).toArray();
  }

  /** Returns a table with as many rows of each class as {@link #COUNTS}. */
  private static Table table(int classes) {
    String[] names = IntStream.range(0, classes).boxed().flatMap(c -> Stream.generate(() -> NAMES[c]).limit(COUNTS[c]))
        .toArray(String[]::new);
    return Table.of(List.of(Column.ofNumbers("x", IntStream.range(0, names.length).asDoubleStream().toArray()),
        Column.ofText("y", names)));
  }

  /** Returns an untrained model of a table, with other entries than those of its baseline if the last argument returns others. */
  private static TrainedModel model(Table table, Consumer<TrainConfig.Changes> changes,
      UnaryOperator<SortedMap<String, String>> texts) {
    PreparedData prepared = PreparedData.of(table, TrainConfig.DEFAULT
        .with(defaults -> defaults.hidden(2).precision(Precision.FP64).validation(0)).with(changes));
    return new TrainedModel(prepared.network(), prepared.view().loss(), Precision.FP64, prepared.view().encoding(),
        prepared.start().parameters(), texts.apply(prepared.view().withBaseline(new TreeMap<>())));
  }

  /** Of classes with equally many training rows, the first one is the majority class, also among the most probable ones. */
  @Test
  void topAccuracyIsAtLeastTheAccuracy() {
    Table table = Table.of(List.of(Column.ofNumbers("x", 1, 2, 3), Column.ofText("y", NAMES)));
    Baseline baseline = Baseline.of(model(table, changes -> {}, texts -> texts)).orElseThrow();
    double[] probabilities = {0.2, 0.3, 0.5};
    ClassMetrics rows = ClassMetrics.of(3, new int[] {0}, probabilities, new int[] {2}, null);
    assertEquals(0, baseline.majorityClass());
    assertEquals(1, baseline.topAccuracy(2, rows));
  }

  /** The closed forms against metrics of constant predictions, row by row, for classes that are distributed otherwise. */
  @ParameterizedTest
  @CsvSource({"2, false", "2, true", "3, false", "3, true"})
  void valuesOfClassesAreThoseOfConstantPredictions(int classes, boolean weighted) {
    Random random = new Random(classes);
    double[] proportions = proportions(classes);
    int rows = 50;
    int[] truth = new int[rows];
    Arrays.setAll(truth, row -> row < classes ? row : random.nextInt(classes));
    double[] weights = weighted ? random.doubles(rows, 0.1, 3).toArray() : null;
    double[] probabilities = new double[rows * classes];
    Arrays.setAll(probabilities, i -> proportions[i % classes]);
    int[] predicted = new int[rows];
    Arrays.fill(predicted, 1);
    ClassMetrics constant = ClassMetrics.of(classes, truth, probabilities, predicted, weights);
    Baseline baseline = Baseline.of(model(table(classes), changes -> {}, texts -> texts)).orElseThrow();
    assertEquals(1, baseline.majorityClass());
    for (Metric metric : Metric.values()) {
      if (metric.appliesTo(Task.CLASSIFICATION) && metric != Metric.LOSS) {
        assertEquals(constant.value(metric), baseline.value(metric, constant), 1e-12, metric.key());
      }
    }
    assertTrue(Double.isNaN(baseline.value(Metric.LOSS, constant)));
  }

  @Test
  void classThatDoesNotOccurIsTreatedAsInTheMetrics() {
    double[] proportions = proportions(3);
    int[] truth = {0, 0, 2, 2, 2};
    double[] probabilities = new double[15];
    Arrays.setAll(probabilities, i -> proportions[i % 3]);
    ClassMetrics constant = ClassMetrics.of(3, truth, probabilities, new int[] {1, 1, 1, 1, 1}, null);
    Baseline baseline = Baseline.of(model(table(3), changes -> {}, texts -> texts)).orElseThrow();
    for (Metric metric : List.of(Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.MACRO_F1, Metric.LOG_LOSS, Metric.ROC_AUC,
        Metric.PR_AUC, Metric.MATTHEWS)) {
      assertEquals(constant.value(metric), baseline.value(metric, constant), 1e-12, metric.key());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cross_entropy", "binary_cross_entropy"})
  void baselineIsTheMajorityOfTheTrainingRowsForEveryLoss(String loss) {
    TrainedModel model = model(table(2), changes -> changes.loss(Loss.of(loss)), texts -> texts);
    Table other = Table.of(List.of(Column.ofNumbers("x", new double[] {1, 2, 3, 4}),
        Column.ofText("y", new String[] {"ant", "ant", "ant", "bee"})));
    try (TablePredictor predictor = new TablePredictor(new ReferenceBackend(), model, Precision.FP64)) {
      ClassificationScores scores = (ClassificationScores) predictor.score(other);
      assertEquals(Optional.of("bee"), scores.majorityClass());
      assertEquals(0.25, scores.baseline(Metric.ACCURACY));
    }
  }

  @Test
  void baselineOfNumbersIsTheMeanOfTheTrainingRows() {
    double[] x = {1, 2, 3, 4, 5.5};
    Table training = Table.of(List.of(Column.ofNumbers("x", x), Column.ofNumbers("y", new double[] {1.5, 2.5, 3.5, 4.5, 13})));
    for (boolean standardize : new boolean[] {true, false}) {
      TrainedModel model = model(training, changes -> changes.columns(TrainConfig.DEFAULT.columns().withStandardize(standardize)),
          texts -> texts);
      try (TablePredictor predictor = new TablePredictor(new ReferenceBackend(), model, Precision.FP64)) {
        Scores same = predictor.score(training);
        assertEquals(0, same.baseline(Metric.R2), 1e-12);
        Table other = Table.of(List.of(Column.ofNumbers("x", new double[] {1, 2}), Column.ofNumbers("y", new double[] {2.5, 8.5}),
            Column.ofNumbers("w", new double[] {3, 1})));
        Scores scores = predictor.score(other);
        assertEquals((2.5 + 3.5) / 2, scores.baseline(Metric.MAE), 1e-12);
        assertEquals(Math.sqrt((2.5 * 2.5 + 3.5 * 3.5) / 2), scores.baseline(Metric.RMSE), 1e-12);
        Scores weighted = predictor.score(other, new RowWeights(Optional.of("w"), Optional.empty()));
        assertEquals((3 * 2.5 + 3.5) / 4, weighted.baseline(Metric.MAE), 1e-12);
      }
    }
  }

  @Test
  void modelWithoutABaselineIsScored() {
    TrainedModel model = model(table(3), changes -> {}, texts -> new TreeMap<>());
    try (TablePredictor predictor = new TablePredictor(new ReferenceBackend(), model, Precision.FP64)) {
      ClassificationScores scores = (ClassificationScores) predictor.score(table(3));
      assertEquals(Optional.empty(), scores.majorityClass());
      assertTrue(Double.isNaN(scores.baseline(Metric.ACCURACY)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0.5 0.5", "0.2 0.3 x", "0.2 0.3 NaN"})
  void baselineThatDoesNotFitIsRefused(String text) {
    TrainedModel model = model(table(3), changes -> {}, texts -> new TreeMap<>(Map.of("baseline.proportions", text)));
    assertEquals("model: \"baseline.proportions\" must be 3 finite numbers",
        assertThrows(InvalidInputException.class, () -> Baseline.of(model)).getMessage());
  }
}
