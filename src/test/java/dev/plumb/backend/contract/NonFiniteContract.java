package dev.plumb.backend.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that the first non-finite step is reported, and that extreme finite numbers are computed correctly. */
interface NonFiniteContract extends Contract {
  @ParameterizedTest
  @EnumSource(Activation.class)
  default void nanIsNeverHidden(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 4, 2);
    Dataset data = data(network, Loss.MSE, 5);
    double[] parameters = weights(network, SEED);
    parameters[0] = Double.NaN;
    try (TrainingSession session = session(network, sgd(), 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(data);
      session.run(StepChunk.of(2).learningRate(0.01).recordAll().build());
      StepMetrics metrics = session.sync();
      assertTrue(Double.isNaN(metrics.loss()[0][0]), "loss " + metrics.loss()[0][0]);
      assertArrayEquals(new long[] {0}, metrics.firstNonFinite());
      assertTrue(Double.isNaN(session.evaluate(data).loss()[0]));
    }
  }

  /** The last weights and biases are next to what tiles of rows, units and inputs are filled with. */
  @Test
  default void nanIsNotHiddenByPadding() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 33, 35, 5);
    Dataset data = data(network, Loss.MSE, 17);
    int size = 33 * 35 + 35 + 35 * 5 + 5;
    for (int place : new int[] {33 * 35 - 1, 33 * 35 + 34, size - 6, size - 1}) {
      double[] parameters = weights(network, SEED);
      assertEquals(size, parameters.length);
      parameters[place] = Double.NaN;
      try (TrainingSession session = session(network, sgd(), 1)) {
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
        session.run(StepChunk.of(1).learningRate(0.01).recordAll().build());
        StepMetrics metrics = session.sync();
        assertTrue(Double.isNaN(metrics.loss()[0][0]), "parameter " + place + ": loss " + metrics.loss()[0][0]);
        assertArrayEquals(new long[] {0}, metrics.firstNonFinite(), "parameter " + place);
      }
    }
  }

  @Test
  default void divergingReplicaIsReportedAndOthersContinue() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    StepChunk.Builder steps = StepChunk.of(40).learningRates(new double[][] {{0.01, 1e200, 0.01}});
    try (TrainingSession session = session(NETWORK, sgd(), 3);
        TrainingSession alone = started(NETWORK, sgd(), data)) {
      for (int replica = 0; replica < 3; replica++) {
        session.write(Slot.PARAMETERS, replica, weights(NETWORK, SEED));
      }
      session.bind(data);
      session.run(steps.build());
      long[] firstNonFinite = session.sync().firstNonFinite();
      assertEquals(-1, firstNonFinite[0]);
      assertTrue(firstNonFinite[1] >= 1 && firstNonFinite[1] < 5, "first non-finite step " + firstNonFinite[1]);
      assertEquals(-1, firstNonFinite[2]);
      assertArrayEquals(firstNonFinite, session.sync().firstNonFinite(), "it stays known");
      alone.run(StepChunk.of(40).learningRate(0.01).build());
      assertAsAlone("the others", read(alone, Slot.PARAMETERS, 0), read(session, Slot.PARAMETERS, 2));
      session.write(Slot.PARAMETERS, 1, weights(NETWORK, SEED));
      assertArrayEquals(new long[] {-1, -1, -1}, session.sync().firstNonFinite(), "written anew, it is forgotten");
      session.run(StepChunk.of(3).learningRate(0.01).build());
      assertArrayEquals(new long[] {-1, -1, -1}, session.sync().firstNonFinite(), "and it trains on as any other");
    }
  }

  @Test
  default void everyReplicaReportsTheSameStepAsTrainedSeparately() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    double[] rates = {1e10, 0.01, 1e30, 1e20, 1e5};
    long[] alone = new long[rates.length];
    for (int replica = 0; replica < rates.length; replica++) {
      try (TrainingSession session = started(NETWORK, sgd(), data)) {
        session.run(StepChunk.of(40).learningRate(rates[replica]).build());
        alone[replica] = session.sync().firstNonFinite()[0];
      }
    }
    assertTrue(Arrays.stream(alone).distinct().count() >= 3, "steps should differ: " + Arrays.toString(alone));
    try (TrainingSession together = session(NETWORK, sgd(), rates.length)) {
      for (int replica = 0; replica < rates.length; replica++) {
        together.write(Slot.PARAMETERS, replica, weights(NETWORK, SEED));
      }
      together.bind(data);
      together.run(StepChunk.of(40).learningRates(new double[][] {rates}).build());
      assertArrayEquals(alone, together.sync().firstNonFinite());
    }
  }

  @Test
  default void extremeLogitsKeepTheCrossEntropiesFinite() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 2);
    double[] parameters = {0, 0, 5000, -5000};
    Dataset classes = Dataset.ofClasses(1, 2, new double[2], new int[] {0, 1});
    Dataset targets = Dataset.ofTargets(1, 2, new double[2], new double[] {1, 0, 0, 1});
    for (Loss loss : List.of(Loss.CROSS_ENTROPY, Loss.BINARY_CROSS_ENTROPY)) {
      Dataset data = loss == Loss.CROSS_ENTROPY ? classes : targets;
      try (TrainingSession session = session(network, training(loss, OptimizerSpec.Sgd.DEFAULT), 1)) {
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
        session.run(StepChunk.of(1).learningRate(0).recordAll().build());
        StepMetrics metrics = session.sync();
        assertEquals(loss == Loss.CROSS_ENTROPY ? 5000 : 2500, metrics.loss()[0][0], 1e-3, loss.key());
        assertArrayEquals(new long[] {-1}, metrics.firstNonFinite());
      }
    }
  }

  @Test
  default void lossThatOverflowsIsNoticedThoughTheGradientIsFinite() {
    // The loss is target², the gradient -2·target: the second is in range, the first is not.
    double target = precision() == Precision.FP64 ? 1e200 : 1e25;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    try (TrainingSession session = session(network, sgd(), 1)) {
      session.bind(Dataset.ofTargets(1, 1, new double[] {1}, new double[] {target}));
      session.run(StepChunk.of(1).learningRate(0).build());
      assertArrayEquals(new long[] {0}, session.sync().firstNonFinite());
      assertTrue(Arrays.stream(read(session, Slot.GRADIENTS, 0)).allMatch(Double::isFinite), "finite gradients");
    }
  }

  @Test
  default void gradientThatOverflowsIsNoticedThoughTheLossIsFinite() {
    // The loss is target², the gradient -2·target·feature: the first is in range, the second is not.
    boolean wide = precision() == Precision.FP64;
    double feature = wide ? 1e200 : 1e25;
    double target = wide ? 1e150 : 1e15;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    try (TrainingSession session = session(network, sgd(), 1)) {
      session.bind(Dataset.ofTargets(1, 1, new double[] {feature}, new double[] {target}));
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      StepMetrics metrics = session.sync();
      assertTrue(Double.isFinite(metrics.loss()[0][0]), "loss " + metrics.loss()[0][0]);
      assertArrayEquals(new long[] {0}, metrics.firstNonFinite());
    }
  }
}
