package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomDataTest {
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.RELU, 2, 3);

  @ParameterizedTest
  @EnumSource(Loss.class)
  void fitsTheNetworkAndTheLoss(Loss loss) {
    Dataset data = RandomData.draw(50, NETWORK, loss, new NumpyRandom(1));
    data.requireFits(NETWORK, loss);
    assertEquals(50, data.rows());
    assertNotEquals(data.feature(0, 0), data.feature(1, 0));
  }

  @Test
  void everyClassAndBothAnswersOccur() {
    Dataset classes = RandomData.draw(50, NETWORK, Loss.CROSS_ENTROPY, new NumpyRandom(1));
    Set<Integer> labels = new TreeSet<>();
    Dataset answers = RandomData.draw(50, NETWORK, Loss.BINARY_CROSS_ENTROPY, new NumpyRandom(1));
    Set<Double> targets = new TreeSet<>();
    for (int row = 0; row < 50; row++) {
      labels.add(classes.label(row));
      targets.add(answers.target(row, 1));
    }
    assertEquals(Set.of(0, 1, 2), labels);
    assertEquals(Set.of(0.0, 1.0), targets);
  }
}
