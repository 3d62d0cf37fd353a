package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.data.Dataset;
import dev.plumb.data.Task;
import dev.plumb.golden.Golden;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class MetricTest {
  @ParameterizedTest
  @EnumSource(Metric.class)
  void metricIsFoundByItsKey(Metric metric) {
    assertSame(metric, Metric.of(metric.key()));
  }

  @Test
  void aucIsShortForRocAuc() {
    assertSame(Metric.ROC_AUC, Metric.of("auc"));
  }

  @Test
  void unknownMetricIsReportedWithAllKeys() {
    assertEquals("unknown metric \"acuracy\" (did you mean \"accuracy\"?); one of loss, accuracy, balanced_accuracy, macro_f1, "
        + "log_loss, roc_auc, pr_auc, matthews, r2, mae, rmse",
        assertThrows(InvalidInputException.class, () -> Metric.of("acuracy")).getMessage());
  }

  @Test
  void lossAppliesToBothTasksAndTheOthersToOne() {
    assertEquals(List.of(Metric.LOSS, Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.MACRO_F1, Metric.LOG_LOSS, Metric.ROC_AUC,
        Metric.PR_AUC, Metric.MATTHEWS), applying(Task.CLASSIFICATION));
    assertEquals(List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE), applying(Task.REGRESSION));
  }

  private static List<Metric> applying(Task task) {
    return Arrays.stream(Metric.values()).filter(metric -> metric.appliesTo(task)).toList();
  }

  /** Outputs that favor the true value must be better than outputs that favor another one. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LOSS")
  void directionIsThatOfGoodOutputs(Metric metric) {
    boolean classes = metric.appliesTo(Task.CLASSIFICATION);
    Dataset rows = classes ? Dataset.ofClasses(1, 2, new double[3], new int[] {0, 1, 1})
        : Dataset.ofTargets(1, 1, new double[3], new double[] {0, 1, 3});
    Loss loss = classes ? Loss.CROSS_ENTROPY : Loss.MAE;
    double good = metric.ofOutputs(rows, loss, classes ? new double[] {2, 1, 1, 2, 1, 3} : new double[] {0.1, 1.1, 2.7}, null);
    double bad = metric.ofOutputs(rows, loss, classes ? new double[] {1, 2, 2, 1, 3, 1} : new double[] {3, 2, 0}, null);
    assertTrue(metric.isHigherBetter() ? good > bad : good < bad, good + " and " + bad);
  }

  static Stream<Named<JsonNode>> goldenCases() {
    return Golden.list(Golden.read("metrics.json").get("outputs")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  @ParameterizedTest
  @MethodSource("goldenCases")
  void metricsOfOutputsAreThoseOfScikitLearn(JsonNode golden) {
    Loss loss = Loss.of(golden.get("loss").textValue());
    double[] outputs = Golden.flat(golden.get("outputs"));
    double[] weights = golden.get("weights").isNull() ? null : Golden.flat(golden.get("weights"));
    Dataset rows = rows(golden.get("truth"), loss, golden.get("outputs").get(0).size());
    List<Metric> metrics = applying(loss.isClassification() ? Task.CLASSIFICATION : Task.REGRESSION);
    assertEquals(metrics.size() - 1, golden.get("metrics").size());
    for (Metric metric : metrics) {
      if (metric != Metric.LOSS) {
        assertEquals(golden.get("metrics").get(metric.key()).doubleValue(), metric.ofOutputs(rows, loss, outputs, weights), 1e-12,
            metric.key());
      }
    }
  }

  /** Encodes as TableEncoding does: for binary_cross_entropy, one target for two classes, otherwise one per class. */
  private static Dataset rows(JsonNode truth, Loss loss, int width) {
    double[] x = new double[truth.size()];
    if (loss == Loss.CROSS_ENTROPY) {
      return Dataset.ofClasses(1, width, x, Golden.ints(truth));
    }
    double[] y = loss == Loss.BINARY_CROSS_ENTROPY && width > 1 ? new double[truth.size() * width] : Golden.flat(truth);
    if (loss == Loss.BINARY_CROSS_ENTROPY && width > 1) {
      for (int row = 0; row < truth.size(); row++) {
        y[row * width + truth.get(row).intValue()] = 1;
      }
    }
    return Dataset.ofTargets(1, width, x, y);
  }

  @Test
  void outputsThatAreNotFiniteGiveNaN() {
    Dataset classes = Dataset.ofClasses(1, 2, new double[2], new int[] {0, 1});
    Dataset numbers = Dataset.ofTargets(1, 1, new double[2], new double[] {0, 1});
    for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      for (Metric metric : Metric.values()) {
        if (metric != Metric.LOSS) {
          assertEquals(Double.NaN, metric.appliesTo(Task.CLASSIFICATION)
              ? metric.ofOutputs(classes, Loss.CROSS_ENTROPY, new double[] {1, 0, value, 0}, null)
              : metric.ofOutputs(numbers, Loss.MSE, new double[] {0, value}, null), metric.key());
        }
      }
    }
  }

  @Test
  void lossAndMetricsOfTheOtherTaskAreRefused() {
    Dataset rows = Dataset.ofTargets(1, 1, new double[2], new double[] {0, 1});
    for (Metric metric : Metric.values()) {
      if (metric == Metric.LOSS || metric.appliesTo(Task.CLASSIFICATION)) {
        assertEquals("metric " + metric.key() + " of outputs trained with loss huber", assertThrows(
            IllegalArgumentException.class, () -> metric.ofOutputs(rows, Loss.HUBER, new double[2], null)).getMessage());
      }
      if (metric == Metric.LOSS || metric.appliesTo(Task.REGRESSION)) {
        assertThrows(IllegalArgumentException.class,
            () -> metric.ofOutputs(rows, Loss.BINARY_CROSS_ENTROPY, new double[2], null));
      }
    }
  }

  /** The mean of three doubles 0.1 is not 0.1. */
  @Test
  void constantTargetHasNoVariance() {
    Dataset rows = Dataset.ofTargets(1, 1, new double[3], new double[] {0.1, 0.1, 0.1});
    assertEquals(0, Metric.R2.ofOutputs(rows, Loss.MSE, new double[] {0.1, 0.2, 0.1}, null));
    assertEquals(1, Metric.R2.ofOutputs(rows, Loss.MSE, new double[] {0.1, 0.1, 0.1}, null));
  }
}
