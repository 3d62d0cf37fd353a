package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Expected figures are from scikit-learn's classification_report and confusion_matrix. */
class ClassificationScoresTest {
  private static final int[] TRUTH = {0, 0, 0, 1, 1, 2, 2, 2, 2};
  private static final int[] PREDICTED = {0, 0, 1, 1, 1, 0, 2, 2, 1};
  private static final ClassificationScores SCORES = ClassificationScores.of(0.25, List.of("cat", "dog", "eel", "fox"),
      ClassMetrics.of(4, TRUTH, probabilities(), PREDICTED, null), Optional.empty());

  @Test
  void figuresPerClassAreThoseOfScikitLearn() {
    assertEquals(9, SCORES.rows());
    assertEquals(6.0 / 9, SCORES.accuracy());
    assertArrayEquals(new double[] {2.0 / 3, 0.5, 1, 0}, figures(SCORES::precision));
    assertArrayEquals(new double[] {2.0 / 3, 1, 0.5, 0}, figures(SCORES::recall));
    assertArrayEquals(new double[] {2.0 / 3, 2.0 / 3, 2.0 / 3, 0}, figures(SCORES::f1), 1e-15);
    assertArrayEquals(new double[] {3, 2, 4, 0}, figures(SCORES::support));
  }

  @Test
  void confusionContainsThePairsThatOccur() {
    assertEquals(List.of(new ConfusionMatrix.Cell(0, 0, 2), new ConfusionMatrix.Cell(0, 1, 1), new ConfusionMatrix.Cell(1, 1, 2),
        new ConfusionMatrix.Cell(2, 0, 1), new ConfusionMatrix.Cell(2, 1, 1), new ConfusionMatrix.Cell(2, 2, 2)),
        SCORES.confusion().cells());
    assertArrayEquals(new long[][] {{2, 1, 0, 0}, {0, 2, 0, 0}, {1, 1, 2, 0}, {0, 0, 0, 0}}, SCORES.confusion().table());
  }

  /** A dense matrix of 100,000 classes would be 80 GB of counts. */
  @Test
  void confusionOfManyClassesIsSparse() {
    int classes = 100_000;
    int[] truth = {0, classes - 1, classes - 1};
    int[] predicted = {classes - 1, 0, classes - 1};
    assertEquals(List.of(new ConfusionMatrix.Cell(0, classes - 1, 1), new ConfusionMatrix.Cell(classes - 1, 0, 1),
        new ConfusionMatrix.Cell(classes - 1, classes - 1, 1)), ConfusionMatrix.of(classes, truth, predicted).cells());
  }

  @Test
  void classOutsideTheTableIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ConfusionMatrix(2, List.of(new ConfusionMatrix.Cell(0, 2, 1))));
  }

  @Test
  void metricsAreFoundByNameAndByMethod() {
    assertEquals(0.25, SCORES.loss());
    assertEquals(0.25, SCORES.value(Metric.LOSS));
    assertEquals(6.0 / 9, SCORES.value(Metric.ACCURACY));
    assertEquals(13.0 / 18, SCORES.balancedAccuracy(), 1e-15);
    assertEquals(13.0 / 18, SCORES.value(Metric.BALANCED_ACCURACY), 1e-15);
    assertEquals(2.0 / 3, SCORES.macroF1(), 1e-15);
    assertEquals(2.0 / 3, SCORES.value(Metric.MACRO_F1), 1e-15);
    double logLoss = -(6 * Math.log(0.7) + 3 * Math.log(0.1)) / 9;
    assertEquals(logLoss, SCORES.logLoss(), 1e-15);
    assertEquals(logLoss, SCORES.value(Metric.LOG_LOSS), 1e-15);
    assertTrue(Double.isNaN(SCORES.rocAuc()));
    assertTrue(Double.isNaN(SCORES.value(Metric.ROC_AUC)));
    assertEquals(4.0 / 9, SCORES.prAuc(), 1e-15);
    assertEquals(4.0 / 9, SCORES.value(Metric.PR_AUC), 1e-15);
    assertEquals(0.5576923076923077, SCORES.matthews(), 1e-15);
    assertEquals(SCORES.matthews(), SCORES.value(Metric.MATTHEWS));
  }

  @Test
  void metricsOfNumbersAreRefused() {
    assertEquals("the model predicts classes, which have no mean absolute error; use accuracy",
        assertThrows(IllegalStateException.class, () -> SCORES.value(Metric.MAE)).getMessage());
  }

  /** Returns 0.7 for the predicted class and 0.1 for the others. */
  private static double[] probabilities() {
    double[] probabilities = new double[4 * PREDICTED.length];
    for (int row = 0; row < PREDICTED.length; row++) {
      for (int c = 0; c < 4; c++) {
        probabilities[4 * row + c] = PREDICTED[row] == c ? 0.7 : 0.1;
      }
    }
    return probabilities;
  }

  private interface Figure {
    double of(int c);
  }

  private static double[] figures(Figure figure) {
    return new double[] {figure.of(0), figure.of(1), figure.of(2), figure.of(3)};
  }
}
