package dev.plumb.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.train.EpochMetrics;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradientFlowTest {
  @Test
  void hundredfoldDecreaseIsVanishing() {
    assertEquals("At the end the gradient norm falls from 0.02 in the last hidden layer to 0.0002 in the first,"
        + " by a factor of 100: it vanishes toward the first layer.", GradientFlow.sentence("At the end",
        new double[] {0.0002, 0.001, 0.02, 0.5}));
    assertEquals("1e2 vanishes", GradientFlow.ratio(new double[] {0.0002, 0.001, 0.02, 0.5}).replace("100", "1e2"));
  }

  @Test
  void hundredfoldIncreaseIsExploding() {
    assertTrue(GradientFlow.sentence("Now", new double[] {30, 2, 0.2, 1}).endsWith(
        "grows from 0.2 in the last hidden layer to 30 in the first,"
        + " by a factor of 150: it explodes toward the first layer."));
    assertEquals("1/150 explodes", GradientFlow.ratio(new double[] {30, 2, 0.2, 1}));
  }

  @Test
  void smallerChangesAreReportedWithTheirFactor() {
    assertTrue(GradientFlow.sentence("Now", new double[] {0.1, 2, 1}).contains(
        "by a factor of 20: it shrinks toward the first layer, but does not vanish"));
    assertTrue(GradientFlow.sentence("Now", new double[] {2, 0.1, 1}).contains(
        "by a factor of 20: it grows toward the first layer, but does not explode"));
    assertTrue(GradientFlow.sentence("Now", new double[] {0.4298, 0.6, 0.6213, 0.43}).contains(
        "is 0.6213 in the last hidden layer and 0.4298 in the first,"
        + " a factor of 1.4: it neither vanishes nor explodes"));
  }

  @Test
  void fewLayersZerosAndNonFiniteNormsHaveTheirOwnSentences() {
    assertEquals("Now the gradient norm of the only layer is 0.5.", GradientFlow.sentence("Now", new double[] {0.5}));
    assertEquals("Now the gradient norm is 0.25 in the only hidden layer and 0.5 in the output layer.",
        GradientFlow.sentence("Now", new double[] {0.25, 0.5}));
    assertTrue(GradientFlow.sentence("Now", new double[] {0, 0.1, 0.2}).endsWith("the first layer no longer learns."));
    assertTrue(GradientFlow.sentence("Now", new double[] {1, Double.NaN, 0.2}).endsWith("not finite: the training diverged."));
  }

  @Test
  void endIsTheMedianOfTheLastTenth() {
    List<EpochMetrics> rows = new ArrayList<>();
    for (int epoch = 1; epoch <= 30; epoch++) {
      double last = epoch == 29 ? 1000 : 0.04;
      rows.add(row(epoch, epoch == 1 ? 0.4 : 0.02, last, 1));
    }
    assertEquals("At the end of the training the gradient norm is 0.04 in the last hidden layer and 0.02 in the first,"
        + " a factor of 2.0: it neither vanishes nor explodes."
        + " Since epoch 1 the first layer's norm has fallen by a factor of 20.",
        new GradientEnds(rows).sentence());
    assertEquals("Start: epoch 1. End: median of epochs 28 to 30.", new GradientEnds(rows).note());
  }

  @Test
  void divergedTrainingIsDescribedByItsLastFiniteEpoch() {
    GradientEnds ends = new GradientEnds(List.of(row(1, 1, 1, 1), row(2, 5000, 10, 1), row(3, Double.NaN, 10, 1),
        row(4, 1, 1, 1)));
    assertTrue(ends.sentence().startsWith("In epoch 2, the last with finite gradients, the gradient norm grows from 10"),
        ends.sentence());
    assertTrue(ends.sentence().endsWith("Since epoch 1 the first layer's norm has risen by a factor of 5,000."), ends.sentence());
  }

  private static EpochMetrics row(int epoch, double... norms) {
    return new EpochMetrics(epoch, 1, 1, 1, 1, 1, norms);
  }
}
