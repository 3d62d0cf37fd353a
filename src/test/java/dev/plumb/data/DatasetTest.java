package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import org.junit.jupiter.api.Test;

class DatasetTest {
  @Test
  void keepsItsOwnCopy() {
    double[] x = {1, 2};
    double[] y = {3, 4};
    int[] labels = {0, 1};
    Dataset targets = Dataset.ofTargets(1, 1, x, y);
    Dataset classes = Dataset.ofClasses(1, 2, x, labels);
    x[0] = 99;
    y[0] = 99;
    labels[0] = 99;
    assertEquals(1, targets.feature(0, 0));
    assertEquals(3, targets.target(0, 0));
    assertEquals(0, classes.label(0));
  }

  @Test
  void nonFiniteValuesAreNamedByRowAndColumn() {
    assertRefused("feature 2 of row 3 is NaN", () ->
        Dataset.ofTargets(2, 1, new double[] {1, 2, 3, 4, 5, Double.NaN}, new double[3]));
    assertRefused("target 1 of row 2 is Infinity", () ->
        Dataset.ofTargets(1, 1, new double[2], new double[] {1, Double.POSITIVE_INFINITY}));
  }

  @Test
  void raggedAndEmptyDataIsRefused() {
    assertRefused("do not make rows", () -> Dataset.ofTargets(2, 1, new double[5], new double[3]));
    assertRefused("do not make rows", () -> Dataset.ofTargets(1, 2, new double[2], new double[3]));
    assertRefused("without rows", () -> Dataset.ofTargets(2, 1, new double[0], new double[0]));
    assertRefused("at least 1", () -> Dataset.ofTargets(0, 1, new double[0], new double[1]));
  }

  @Test
  void classesOutOfRangeAreRefused() {
    assertRefused("the class of row 2 is 3", () -> Dataset.ofClasses(1, 3, new double[2], new int[] {0, 3}));
    assertRefused("the class of row 1 is -1", () -> Dataset.ofClasses(1, 3, new double[1], new int[] {-1}));
  }

  @Test
  void mismatchesNameBothSides() {
    Dataset data = Dataset.ofTargets(3, 1, new double[6], new double[] {0, 2});
    assertDoesNotThrow(() -> data.requireFits(NetworkSpec.of(Activation.RELU, 3, 1), Loss.MSE));
    assertRefused("the network has 4 inputs, but the data has 3 features", () ->
        data.requireFits(NetworkSpec.of(Activation.RELU, 4, 1), Loss.MSE));
    assertRefused("the network has 2 outputs, but the data has 1 target", () ->
        data.requireFits(NetworkSpec.of(Activation.RELU, 3, 2), Loss.MSE));
    assertRefused("needs classes", () -> data.requireFits(NetworkSpec.of(Activation.RELU, 3, 1), Loss.CROSS_ENTROPY));
    assertRefused("from 0 to 1, but row 2 has 2.0", () ->
        data.requireFits(NetworkSpec.of(Activation.RELU, 3, 1), Loss.BINARY_CROSS_ENTROPY));
    Dataset negative = Dataset.ofTargets(3, 1, new double[3], new double[] {-0.5});
    assertRefused("from 0 to 1, but row 1 has -0.5", () ->
        negative.requireFits(NetworkSpec.of(Activation.RELU, 3, 1), Loss.BINARY_CROSS_ENTROPY));
    Dataset classes = Dataset.ofClasses(1, 2, new double[1], new int[1]);
    assertRefused("use cross_entropy", () -> classes.requireFits(NetworkSpec.of(Activation.RELU, 1, 2), Loss.MSE));
  }

  @Test
  void weightsAreCopiedAndReplaceEarlierOnes() {
    Dataset none = Dataset.ofClasses(1, 2, new double[] {5, 6}, new int[] {0, 1});
    double[] weights = {0.5, 2};
    Dataset weighted = none.withWeights(weights);
    weights[0] = 99;
    assertTrue(weighted.hasWeights());
    assertEquals(0.5, weighted.weight(0));
    assertEquals(3, weighted.withWeights(new double[] {3, 4}).weight(0));
    assertEquals(0.5, weighted.weight(0));
    assertFalse(none.hasWeights());
    assertEquals(1, none.weight(1));
    assertEquals(6, weighted.feature(1, 0));
    assertEquals(1, weighted.label(1));
    assertEquals(2, weighted.outputs());
  }

  @Test
  void weightsOutOfRangeAreRefused() {
    Dataset data = Dataset.ofTargets(1, 1, new double[2], new double[2]);
    assertRefused("there are 3 weights, but the data has 2 rows", () -> data.withWeights(new double[3]));
    for (double weight : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e-21, 1e21}) {
      assertRefused("the weight of row 2 is " + weight + "; a weight must be a number from 1.0E-20 to 1.0E20",
          () -> data.withWeights(new double[] {1, weight}));
    }
    Dataset extreme = data.withWeights(new double[] {Dataset.MIN_WEIGHT, Dataset.MAX_WEIGHT});
    assertEquals((float) extreme.weight(0), extreme.weight(0), "rounding to single precision stays in range");
    assertEquals((float) extreme.weight(1), extreme.weight(1));
  }

  private static void assertRefused(String part, Runnable action) {
    String message = assertThrows(InvalidInputException.class, action::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
