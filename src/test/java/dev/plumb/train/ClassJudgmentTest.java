package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.golden.Golden;
import dev.plumb.store.ClassProbabilities;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClassJudgmentTest {
  private static final double TOLERANCE = 1e-12;

  /** @param weights null for none */
  private record Sample(int classes, int[] truth, double[] probabilities, double[] weights) {
    static Sample of(JsonNode golden) {
      int[] truth = Golden.ints(golden.get("truth"));
      double[] probabilities = Golden.flat(golden.get("probabilities"));
      return new Sample(probabilities.length / truth.length, truth, probabilities,
          golden.get("weights").isNull() ? null : Golden.flat(golden.get("weights")));
    }

    ClassMetrics metrics() {
      return ClassMetrics.of(classes, truth, probabilities, ClassProbabilities.labels(probabilities, classes), weights);
    }

    ClassJudgment judgment() {
      return ClassJudgment.of(metrics(), probabilities, Optional.empty());
    }

    ClassificationScores scores() {
      ClassMetrics metrics = metrics();
      return ClassificationScores.of(0, IntStream.range(0, classes).mapToObj(c -> "class " + c).toList(), metrics, Optional.empty())
          .withJudgment(metrics, ClassJudgment.of(metrics, probabilities, Optional.empty()));
    }
  }

  static Stream<Named<JsonNode>> goldenCases() {
    return Golden.list(Golden.read("judgment.json").get("classes")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  static Stream<Named<JsonNode>> goldenNumbers() {
    return Golden.list(Golden.read("judgment.json").get("numbers")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void curvesAreThoseOfScikitLearn(JsonNode golden) {
    Sample sample = Sample.of(golden);
    List<ClassCurve> curves = sample.judgment().curves();
    assertEquals(golden.get("curves").size(), curves.size());
    double rocSum = 0;
    double precisionSum = 0;
    for (int i = 0; i < curves.size(); i++) {
      ClassCurve curve = curves.get(i);
      JsonNode expected = golden.get("curves").get(i);
      assertEquals(sample.classes == 2 ? 1 : i, curve.classIndex());
      double[] thresholds = numbers(expected.get("thresholds"));
      thresholds[0] = Double.POSITIVE_INFINITY;
      assertArrayEquals(thresholds, curve.thresholds());
      assertClose(numbers(expected.get("fpr")), curve.falsePositiveRates());
      assertClose(numbers(expected.get("recall")), curve.recalls());
      assertClose(numbers(expected.get("precision")), curve.precisions());
      assertClose(number(expected.get("roc_auc")), curve.rocAuc(), "ROC AUC");
      assertClose(number(expected.get("average_precision")), curve.averagePrecision(), "average precision");
      rocSum += curve.rocAuc();
      precisionSum += curve.averagePrecision();
    }
    assertClose(rocSum / curves.size(), sample.metrics().value(Metric.ROC_AUC), "mean ROC AUC");
    assertClose(precisionSum / curves.size(), sample.metrics().value(Metric.PR_AUC), "mean average precision");
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void figuresOfProbabilitiesAreThoseOfScikitLearn(JsonNode golden) {
    ClassJudgment judgment = Sample.of(golden).judgment();
    assertClose(number(golden.get("brier")), judgment.brier(), "Brier score");
    assertClose(number(golden.get("ece")), judgment.reliability().expectedCalibrationError(), "expected calibration error");
    Map<String, Double> topK = judgment.topK().entrySet().stream()
        .collect(Collectors.toMap(entry -> entry.getKey().toString(), Map.Entry::getValue));
    assertEquals(golden.get("top_k").size(), topK.size());
    topK.forEach((k, accuracy) -> assertClose(golden.get("top_k").get(k).doubleValue(), accuracy, "top " + k));
    assertEquals(2 + topK.size(), judgment.figures().size());
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void binsAreThoseOfTheCalibrationCurve(JsonNode golden) {
    List<Reliability.Bin> bins = Sample.of(golden).judgment().reliability().bins();
    assertEquals(Reliability.BINS, bins.size());
    for (int i = 0; i < bins.size(); i++) {
      JsonNode expected = golden.get("bins").get(i);
      assertEquals(expected.get("rows").longValue(), bins.get(i).rows());
      assertClose(number(expected.get("weight")), bins.get(i).weight(), "weight");
      assertClose(number(expected.get("mean")), bins.get(i).meanProbability(), "mean probability");
      assertClose(number(expected.get("observed")), bins.get(i).observed(), "observed frequency");
    }
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void thresholdsAreThoseOfScikitLearn(JsonNode golden) {
    ClassJudgment judgment = Sample.of(golden).judgment();
    assertEquals(golden.has("thresholds"), judgment.thresholds().isPresent());
    if (judgment.thresholds().isEmpty()) {
      return;
    }
    Thresholds thresholds = judgment.thresholds().get();
    List<Thresholds.Row> rows = thresholds.table(OptionalDouble.empty());
    assertEquals(9, rows.size());
    for (int i = 0; i < rows.size(); i++) {
      JsonNode expected = golden.get("thresholds").get(i);
      Thresholds.Row row = rows.get(i);
      assertEquals(expected.get("threshold").doubleValue(), row.threshold());
      assertClose(number(expected.get("precision")), row.precision(), "precision");
      assertClose(number(expected.get("recall")), row.recall(), "recall");
      assertClose(number(expected.get("f1")), row.f1(), "F1");
      assertClose(number(expected.get("specificity")), row.specificity(), "specificity");
      assertClose(number(expected.get("youden")), row.youden(), "Youden's J");
      assertEquals(expected.get("predicted").longValue(), row.predictedRows());
    }
    for (Thresholds.Criterion criterion : Thresholds.Criterion.values()) {
      double best = number(golden.get("best").get(criterion.key()));
      assertEquals(best, thresholds.best(criterion).orElse(Double.NaN), criterion.key());
    }
  }

  @ParameterizedTest
  @MethodSource("goldenNumbers")
  void residualsAreThoseOfNumPy(JsonNode golden) {
    List<Residuals.Group> groups = Residuals.of(Golden.flat(golden.get("truth")), Golden.flat(golden.get("predicted"))).groups();
    assertEquals(golden.get("groups").size(), groups.size());
    for (int i = 0; i < groups.size(); i++) {
      JsonNode expected = golden.get("groups").get(i);
      assertEquals(expected.get("rows").intValue(), groups.get(i).rows());
      assertClose(expected.get("low").doubleValue(), groups.get(i).low(), "lowest prediction");
      assertClose(expected.get("high").doubleValue(), groups.get(i).high(), "highest prediction");
      assertClose(expected.get("mean").doubleValue(), groups.get(i).meanPrediction(), "mean prediction");
      assertArrayEquals(Golden.flat(expected.get("quantiles")),
          groups.get(i).quantiles().stream().mapToDouble(Double::doubleValue).toArray(), 1e-12);
    }
  }

  @Test
  void residualsOfRowsThatAreNotFiniteAreLeftOut() {
    List<Residuals.Group> groups = Residuals.of(new double[] {1, Double.NaN, 3, 4}, new double[] {2, 2, Double.NaN, 6}).groups();
    assertEquals(List.of(2.0, 6.0), groups.stream().map(Residuals.Group::meanPrediction).toList());
    assertEquals(List.of(), Residuals.of(new double[0], new double[0]).groups());
  }

  /** The area of the ROC curve by the trapezoidal rule, with the points in between left out. */
  @Test
  void areaUnderThePointsIsTheMetric() {
    for (int classes : new int[] {2, 3}) {
      for (ClassCurve curve : sample(classes, 500).judgment().curves()) {
        double[] x = curve.falsePositiveRates();
        double[] y = curve.recalls();
        double area = IntStream.range(1, x.length).mapToDouble(i -> (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2).sum();
        assertEquals(curve.rocAuc(), area, 1e-14);
      }
    }
  }

  @Test
  void thinnedCurveKeepsItsEndsAndItsAreas() {
    ClassCurve curve = sample(2, 500).judgment().curves().get(0);
    ClassCurve thinned = curve.thinned(20);
    assertTrue(curve.points() > 20);
    assertEquals(20, thinned.points());
    assertEquals(curve.rocAuc(), thinned.rocAuc());
    assertEquals(curve.averagePrecision(), thinned.averagePrecision());
    assertEquals(1, thinned.recalls()[19]);
    assertEquals(1, thinned.falsePositiveRates()[19]);
    assertEquals(Double.POSITIVE_INFINITY, thinned.thresholds()[0]);
    assertTrue(Arrays.stream(curve.thresholds()).boxed().toList()
        .containsAll(Arrays.stream(thinned.thresholds()).boxed().toList()));
    assertEquals(curve.points(), curve.thinned(curve.points()).points());
    assertThrows(IllegalArgumentException.class, () -> curve.thinned(1));
  }

  /** 0.7 - 0.2 and 0.8 - 0.3 are different as floating-point numbers, but Youden's J of both thresholds is the same. */
  @Test
  void highestOfEqualThresholdsIsChosen() {
    int[] truth = new int[20];
    double[] probabilities = new double[40];
    int[] counts = {7, 2, 1, 1, 2, 7};
    double[] scores = {0.8, 0.8, 0.6, 0.6, 0.1, 0.1};
    int row = 0;
    for (int group = 0; group < counts.length; group++) {
      for (int i = 0; i < counts[group]; i++, row++) {
        truth[row] = group % 2 == 0 ? 1 : 0;
        probabilities[2 * row] = 1 - scores[group];
        probabilities[2 * row + 1] = scores[group];
      }
    }
    ClassMetrics metrics = ClassMetrics.of(2, truth, probabilities, ClassProbabilities.labels(probabilities, 2), null);
    Thresholds thresholds = ClassJudgment.of(metrics, probabilities, Optional.empty()).thresholds().orElseThrow();
    assertEquals(OptionalDouble.of(0.8), thresholds.best(Thresholds.Criterion.YOUDEN));
  }

  @Test
  void thresholdChangesDecisionsOnly() {
    Sample sample = sample(2, 400);
    ClassificationScores scores = sample.scores();
    ClassificationScores decided = scores.withThreshold(0.3);
    int[] predicted = IntStream.range(0, 400).map(row -> sample.probabilities[2 * row + 1] >= 0.3 ? 1 : 0).toArray();
    ClassMetrics expected = ClassMetrics.of(2, sample.truth, sample.probabilities, predicted, sample.weights);
    for (Metric metric : List.of(Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.MACRO_F1, Metric.MATTHEWS, Metric.LOG_LOSS,
        Metric.ROC_AUC, Metric.PR_AUC)) {
      assertEquals(expected.value(metric), decided.value(metric), metric.key());
    }
    assertEquals(ConfusionMatrix.of(2, sample.truth, predicted).cells(), decided.confusion().cells());
    assertEquals(OptionalDouble.of(0.3), decided.threshold());
    assertEquals(OptionalDouble.empty(), scores.threshold());
    Thresholds.Row row = decided.judgment().thresholds().orElseThrow().at(0.3);
    assertEquals(Arrays.stream(predicted).sum(), row.predictedRows());
  }

  @Test
  void chosenThresholdIsInTheTableOnce() {
    Thresholds thresholds = sample(2, 50).judgment().thresholds().orElseThrow();
    assertEquals(List.of(0.1, 0.2, 0.3, 0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        thresholds.table(OptionalDouble.of(0.33)).stream().map(Thresholds.Row::threshold).toList());
    assertEquals(9, thresholds.table(OptionalDouble.of(0.3)).size());
  }

  @Test
  void whatScoresDoNotHaveIsRefused() {
    ClassificationScores three = sample(3, 20).scores();
    assertEquals("the model predicts 3 classes; a threshold needs two",
        assertThrows(IllegalStateException.class, () -> three.withThreshold(0.5)).getMessage());
    ClassificationScores compact = three.compact();
    assertEquals(three.accuracy(), compact.accuracy());
    assertEquals("these scores have no judgment of probabilities; use Model.score",
        assertThrows(IllegalStateException.class, compact::judgment).getMessage());
  }

  private static Sample sample(int classes, int rows) {
    Random random = new Random(classes);
    int[] truth = random.ints(rows, 0, classes).toArray();
    double[] probabilities = new double[rows * classes];
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        probabilities[row * classes + c] = random.nextInt(1, 60) + (truth[row] == c ? 20 : 0);
        sum += probabilities[row * classes + c];
      }
      for (int c = 0; c < classes; c++) {
        probabilities[row * classes + c] /= sum;
      }
    }
    return new Sample(classes, truth, probabilities, random.doubles(rows, 0, 3).toArray());
  }

  private static double number(JsonNode node) {
    return node.isNull() ? Double.NaN : node.doubleValue();
  }

  private static double[] numbers(JsonNode array) {
    return Golden.list(array).stream().mapToDouble(ClassJudgmentTest::number).toArray();
  }

  private static void assertClose(double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length);
    IntStream.range(0, expected.length).forEach(i -> assertClose(expected[i], actual[i], "point " + i));
  }

  /** Asserts equality but for rounding, relative to the expected value, or to 1 for differences that may cancel to almost 0. */
  private static void assertClose(double expected, double actual, String name) {
    assertEquals(expected, actual, Math.abs(expected) > 1e-3 ? TOLERANCE * Math.abs(expected) : 1e-3 * TOLERANCE, name);
  }
}
