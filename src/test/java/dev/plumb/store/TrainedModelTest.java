package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainedModelTest {
  private static final double ROUNDING = 1e-15;

  @Test
  void crossEntropyGivesProbabilitiesThatNeverOverflow() {
    TrainedModel model = model(Loss.CROSS_ENTROPY, Models.classes(3));
    double[] outputs = {0, Math.log(2), Math.log(5), 1000, -1000, 1000};
    double[] results = model.results(outputs);
    assertArrayEquals(new double[] {0.125, 0.25, 0.625, 0.5, 0, 0.5}, results, ROUNDING);
    assertArrayEquals(new int[] {2, 0}, model.labels(results), "the first of equals");
    assertEquals(1000, outputs[3], "the outputs are unchanged");
  }

  @Test
  void oneSigmoidStandsForTwoClasses() {
    TrainedModel model = model(Loss.BINARY_CROSS_ENTROPY, Models.classes(2));
    assertEquals(1, model.network().outputs());
    double[] results = model.results(new double[] {Math.log(3), -Math.log(4), -2000, 2000, 0});
    assertArrayEquals(new double[] {0.25, 0.75, 0.8, 0.2, 1, 0, 0, 1, 0.5, 0.5}, results, ROUNDING);
    assertArrayEquals(new int[] {1, 0, 0, 1, 0}, model.labels(results));
  }

  @Test
  void sigmoidsOfSeveralClassesAreIndependent() {
    TrainedModel model = model(Loss.BINARY_CROSS_ENTROPY, Models.classes(3));
    assertArrayEquals(new double[] {0.5, 0.75, 0.2}, model.results(new double[] {0, Math.log(3), -Math.log(4)}), ROUNDING);
  }

  @Test
  void predictionsAreInTheUnitsOfTheTargets() {
    TargetEncoding target = new TargetEncoding.Numbers(List.of("a", "b"), new double[] {10, -1}, new double[] {2, 0.5});
    assertArrayEquals(new double[] {12, -2, 10, 0}, model(Loss.MSE, target).results(new double[] {1, -2, 0, 2}));
    assertArrayEquals(new double[] {11.5, -0.9}, model(Loss.BINARY_CROSS_ENTROPY, target)
        .results(new double[] {Math.log(3), -Math.log(4)}), ROUNDING * 10);
    assertEquals(List.of(), model(Loss.MSE, target).classNames());
  }

  private static TrainedModel model(Loss loss, TargetEncoding target) {
    return Models.model(Activation.RELU, loss, Precision.FP64, new TableEncoding(Models.numericColumns(2), target), 2);
  }
}
