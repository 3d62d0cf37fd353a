package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.data.Task;
import dev.plumb.golden.Golden;
import dev.plumb.store.ClassProbabilities;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClassMetricsTest {
  private static final List<Metric> METRICS = Arrays.stream(Metric.values())
      .filter(metric -> metric != Metric.LOSS && metric.appliesTo(Task.CLASSIFICATION)).toList();
  private static final int ROWS = 200;

  /** @param weights null for none */
  private record Sample(int classes, int[] truth, double[] probabilities, double[] weights) {
    ClassMetrics metrics() {
      return ClassMetrics.of(classes, truth, probabilities, ClassProbabilities.labels(probabilities, classes), weights);
    }

    Sample withWeights(double[] weights) {
      return new Sample(classes, truth, probabilities, weights);
    }

    /** Returns the rows at the given positions. */
    Sample rows(int[] rows) {
      double[] chosen = new double[rows.length * classes];
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(probabilities, rows[i] * classes, chosen, i * classes, classes);
      }
      return new Sample(classes, Arrays.stream(rows).map(row -> truth[row]).toArray(), chosen,
          weights == null ? null : Arrays.stream(rows).mapToDouble(row -> weights[row]).toArray());
    }

    Sample transformed(DoubleUnaryOperator probability) {
      return new Sample(classes, truth, Arrays.stream(probabilities).map(probability).toArray(), weights);
    }
  }

  static Stream<Named<JsonNode>> goldenCases() {
    return Golden.list(Golden.read("metrics.json").get("classes")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void metricsAreThoseOfScikitLearn(JsonNode golden) {
    int[] truth = Golden.ints(golden.get("truth"));
    double[] probabilities = Golden.flat(golden.get("probabilities"));
    double[] weights = golden.get("weights").isNull() ? null : Golden.flat(golden.get("weights"));
    ClassMetrics metrics = new Sample(probabilities.length / truth.length, truth, probabilities, weights).metrics();
    assertEquals(METRICS.size(), golden.get("metrics").size());
    for (Metric metric : METRICS) {
      JsonNode expected = golden.get("metrics").get(metric.key());
      assertEquals(expected.isNull() ? Double.NaN : expected.doubleValue(), metrics.value(metric), 1e-12, metric.key());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void orderOfRowsDoesNotMatter(int classes) {
    Random random = new Random(classes);
    List<Integer> order = new ArrayList<>(IntStream.range(0, ROWS).boxed().toList());
    Collections.shuffle(order, random);
    int[] shuffled = order.stream().mapToInt(row -> row).toArray();
    Sample sample = sample(classes, random);
    assertMetrics(sample.metrics(), sample.rows(shuffled).metrics(), 1e-14);
    Sample weighted = sample.withWeights(random.doubles(ROWS, 0, 3).toArray());
    assertMetrics(weighted.metrics(), weighted.rows(shuffled).metrics(), 1e-13);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void weightsOfOneChangeNoBit(int classes) {
    Sample sample = sample(classes, new Random(10 + classes));
    double[] ones = new double[ROWS];
    Arrays.fill(ones, 1);
    assertMetrics(sample.metrics(), sample.withWeights(ones).metrics(), 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void wholeWeightsCountAsRepeatedRows(int classes) {
    Random random = new Random(20 + classes);
    Sample sample = sample(classes, random);
    int[] counts = random.ints(ROWS, 0, 5).toArray();
    int[] repeated = IntStream.range(0, ROWS).flatMap(row -> IntStream.range(0, counts[row]).map(i -> row)).toArray();
    ClassMetrics weighted = sample.withWeights(Arrays.stream(counts).asDoubleStream().toArray()).metrics();
    assertMetrics(sample.rows(repeated).metrics(), weighted, 1e-14);
    assertNotEquals(sample.metrics().value(Metric.ROC_AUC), weighted.value(Metric.ROC_AUC));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void areasDependOnTheOrderOfProbabilitiesOnly(int classes) {
    Random random = new Random(30 + classes);
    Sample sample = sample(classes, random).withWeights(random.doubles(ROWS, 0, 3).toArray());
    // Strictly increasing on the multiples of 1/16 that the sample has.
    for (DoubleUnaryOperator increasing : List.<DoubleUnaryOperator>of(p -> p * p * p, Math::exp, p -> p / 1000 - 7)) {
      ClassMetrics transformed = sample.transformed(increasing).metrics();
      assertEquals(sample.metrics().value(Metric.ROC_AUC), transformed.value(Metric.ROC_AUC));
      assertEquals(sample.metrics().value(Metric.PR_AUC), transformed.value(Metric.PR_AUC));
    }
  }

  @Test
  void reversedProbabilitiesGiveTheComplementOfTheArea() {
    Sample sample = sample(2, new Random(40));
    Sample reversed = sample.transformed(p -> 1 - p);
    assertEquals(1 - sample.metrics().value(Metric.ROC_AUC), reversed.metrics().value(Metric.ROC_AUC), 1e-15);
  }

  /** Pairs of a row of the class and another row in which the first has the greater probability, ties counted half. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void rocAreaIsTheProportionOfPairsInOrder(int classes) {
    Sample sample = sample(classes, new Random(50 + classes));
    double sum = 0;
    int first = classes == 2 ? 1 : 0;
    for (int c = first; c < classes; c++) {
      double inOrder = 0;
      long pairs = 0;
      for (int a = 0; a < ROWS; a++) {
        for (int b = 0; b < ROWS; b++) {
          if (sample.truth[a] == c && sample.truth[b] != c) {
            int order = Double.compare(sample.probabilities[a * classes + c], sample.probabilities[b * classes + c]);
            inOrder += order > 0 ? 1 : order == 0 ? 0.5 : 0;
            pairs++;
          }
        }
      }
      sum += inOrder / pairs;
    }
    assertEquals(sum / (classes - first), sample.metrics().value(Metric.ROC_AUC), 1e-14);
  }

  @Test
  void zeroAndMinusZeroAreTied() {
    int[] truth = {0, 1, 0, 1};
    double[] positive = {1, 0, 1, 0, 0.5, 0.5, 0.25, 0.75};
    double[] negative = {1, -0.0, 1, 0, 0.5, 0.5, 0.25, 0.75};
    double[] both = {1, 0, 1, -0.0, 0.5, 0.5, 0.25, 0.75};
    ClassMetrics expected = new Sample(2, truth, positive, null).metrics();
    assertMetrics(expected, new Sample(2, truth, negative, null).metrics(), 0);
    assertMetrics(expected, new Sample(2, truth, both, null).metrics(), 0);
  }

  @Test
  void otherMetricsAreRefused() {
    ClassMetrics metrics = sample(2, new Random(60)).metrics();
    for (Metric metric : List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE)) {
      assertEquals("metric " + metric.key() + " of predicted classes",
          assertThrows(IllegalArgumentException.class, () -> metrics.value(metric)).getMessage());
    }
  }

  /** Returns rows of all classes, whose probabilities are multiples of 1/16 with many ties and favor the true class. */
  private static Sample sample(int classes, Random random) {
    int[] truth = IntStream.range(0, ROWS).map(row -> row < 5 * classes ? row % classes : random.nextInt(classes)).toArray();
    double[] probabilities = new double[ROWS * classes];
    for (int row = 0; row < ROWS; row++) {
      for (int i = 0; i < 16; i++) {
        probabilities[row * classes + (random.nextInt(4) == 0 ? truth[row] : random.nextInt(classes))] += 1 / 16.0;
      }
    }
    return new Sample(classes, truth, probabilities, null);
  }

  private static void assertMetrics(ClassMetrics expected, ClassMetrics actual, double tolerance) {
    for (Metric metric : METRICS) {
      if (tolerance == 0) {
        assertEquals(expected.value(metric), actual.value(metric), metric.key());
      } else {
        assertEquals(expected.value(metric), actual.value(metric), tolerance, metric.key());
      }
    }
  }
}
