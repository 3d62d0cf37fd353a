package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected figures are from scikit-learn's classification_report and confusion_matrix. */
class ClassificationScoresTest {
  private static final ClassificationScores SCORES = ClassificationScores.of(0.25, List.of("cat", "dog", "eel", "fox"),
      new int[] {0, 0, 0, 1, 1, 2, 2, 2, 2}, new int[] {0, 0, 1, 1, 1, 0, 2, 2, 1});

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

  private interface Figure {
    double of(int c);
  }

  private static double[] figures(Figure figure) {
    return new double[] {figure.of(0), figure.of(1), figure.of(2), figure.of(3)};
  }
}
