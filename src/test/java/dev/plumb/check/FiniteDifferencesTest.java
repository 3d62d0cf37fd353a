package dev.plumb.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class FiniteDifferencesTest {
  private static final long SEED = 1789;
  private static final int[] AWKWARD = {1, 2, 3, 7, 13};

  static Stream<Arguments> combinations() {
    List<Arguments> all = new ArrayList<>();
    int count = 0;
    for (Activation activation : Activation.values()) {
      for (Loss loss : Loss.values()) {
        for (OptimizerSpec optimizer : List.of(
            OptimizerSpec.Sgd.DEFAULT,
            new OptimizerSpec.Sgd(0.9, true, 0.01),
            OptimizerSpec.Adam.DEFAULT,
            OptimizerSpec.Adam.DEFAULT_W,
            OptimizerSpec.RmsProp.DEFAULT)) {
          all.add(Arguments.of(activation, loss, optimizer, count++));
        }
      }
    }
    return all.stream();
  }

  /** Every activation, loss and optimizer, at shapes and batches of awkward sizes that change from case to case. */
  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("combinations")
  void gradientsAreRightAtFirstAndAfterTenSteps(Activation activation, Loss loss, OptimizerSpec optimizer, int number) {
    NetworkSpec network = NetworkSpec.of(activation, AWKWARD[number % 5], AWKWARD[(number / 5 + 3) % 5],
        AWKWARD[(number / 2 + 1) % 5], loss == Loss.CROSS_ENTROPY ? 1 + AWKWARD[number % 3] : AWKWARD[number % 4]);
    NumpyRandom stream = new NumpyRandom(SEED + number);
    Dataset data = RandomData.draw(AWKWARD[(number + 2) % 5] * 2 + 1, network, loss, stream);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, loss, data);
        TrainingSession session = backend.open(network, TrainingSpec.of(loss, optimizer, 0.01, 10), 1)) {
      String what = network.shape() + ", " + data.rows() + " rows, seed " + (SEED + number);
      assertAllRight(what, differences.at(parameters));
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(data);
      session.run(StepChunk.of(10).learningRate(0.01).build());
      session.sync();
      session.read(Slot.PARAMETERS, 0, parameters);
      assertAllRight(what + ", after ten steps", differences.at(parameters));
    }
  }

  /** Weights from 0.1 to 5, at batches of awkward sizes. */
  @ParameterizedTest
  @EnumSource(Loss.class)
  void gradientsOfWeightedRowsAreRightToo(Loss loss) {
    for (int rows : AWKWARD) {
      NetworkSpec network = NetworkSpec.of(Activation.SILU, 3, 7, 2);
      NumpyRandom stream = new NumpyRandom(SEED + rows);
      Dataset data = RandomData.draw(rows, network, loss, stream);
      double[] weights = RandomWeights.draw(rows, stream);
      double[] parameters = Initializer.PYTORCH.draw(network, stream);
      try (Backend backend = new ReferenceBackend();
          FiniteDifferences differences = new FiniteDifferences(backend, network, loss, data.withWeights(weights))) {
        assertAllRight(loss.key() + ", " + rows + " rows, seed " + (SEED + rows), differences.at(parameters));
      }
    }
  }

  /** The loss of a step depends on the statistics of its batch; central differences go through them. */
  @ParameterizedTest
  @EnumSource(Activation.class)
  void gradientsThroughNormalizationsAndResidualsAreRightToo(Activation activation) {
    for (Normalization normalization : Normalization.values()) {
      for (boolean residual : new boolean[] {false, true}) {
        NetworkSpec network = NetworkSpec.of(activation, 5, 5, 7, 7, 2).withNormalization(normalization).withResidual(residual);
        NumpyRandom stream = new NumpyRandom(SEED);
        Dataset data = RandomData.draw(13, network, Loss.MSE, stream);
        double[] parameters = NormalizedCheckTest.start(network, SEED);
        Optional<Dropout> dropout = residual ? Optional.of(new Dropout(0.3, SEED)) : Optional.empty();
        try (Backend backend = new ReferenceBackend();
            FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, dropout, data)) {
          List<GradientCheck> checks = differences.at(parameters);
          assertEquals(normalization == Normalization.NONE ? 8 : 14, checks.size());
          assertAllRight(network.toString(), checks);
        }
      }
    }
  }

  /** With two rows, the variance of a unit may be so small that the loss bends within the normal step. */
  @Test
  void smallerStepsAreTriedWhereTheLossBends() {
    NetworkSpec network = NetworkSpec.of(Activation.SIGMOID, 7, 17, 17, 1).withNormalization(Normalization.BATCH).withResidual(true);
    for (int seed = 0; seed < 20; seed++) {
      NumpyRandom stream = new NumpyRandom(SEED + seed);
      Dataset data = RandomData.draw(2, network, Loss.MSE, stream);
      double[] parameters = Initializer.ORTHOGONAL.draw(network, stream);
      for (int i = 0; i < parameters.length; i++) {
        parameters[i] *= i < 7 * 17 ? 0.02 : 1;
      }
      try (Backend backend = new ReferenceBackend();
          FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
        for (GradientCheck check : differences.at(parameters)) {
          assertTrue(check.ok(), "seed " + (SEED + seed) + ": " + check);
          assertTrue(check.compared() > 0, "seed " + (SEED + seed) + ": " + check);
        }
      }
    }
  }

  private static void assertAllRight(String what, List<GradientCheck> checks) {
    for (GradientCheck check : checks) {
      assertTrue(check.ok(), what + ": " + check);
      assertEquals(check.slice().size(), check.compared() + check.skipped());
      // A kink between two points 2e-5 apart is rare.
      assertTrue(check.skipped() * 10 <= check.slice().size() + 10, what + ": " + check);
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void gradientsWithDropoutAreRightToo(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 13, 7, 2);
    NumpyRandom stream = new NumpyRandom(SEED);
    Dataset data = RandomData.draw(7, network, Loss.MSE, stream);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences dropping =
            new FiniteDifferences(backend, network, Loss.MSE, Optional.of(new Dropout(0.4, SEED)), data);
        FiniteDifferences whole = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      List<GradientCheck> checks = dropping.at(parameters);
      assertAllRight(activation.key(), checks);
      // Output biases: dropout moves the outputs, and their derivatives with them.
      assertNotEquals(whole.at(parameters).get(0).difference(), checks.get(0).difference());
    }
  }

  @Test
  void everyWrongGradientIsFoundAndNamed() {
    NetworkSpec network = NetworkSpec.of(Activation.SILU, 3, 4, 2);
    NumpyRandom stream = new NumpyRandom(SEED);
    Dataset data = RandomData.draw(9, network, Loss.MSE, stream);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    ParameterLayout layout = ParameterLayout.of(network);
    for (int wrong = 0; wrong < layout.size(); wrong++) {
      try (Backend backend = new WrongGradientBackend(Map.of(wrong, 1 + 1e-5));
          FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
        for (GradientCheck check : differences.at(parameters)) {
          int within = wrong - check.slice().offset();
          boolean here = within >= 0 && within < check.slice().size();
          assertEquals(!here, check.ok(), "gradient " + wrong + ": " + check);
          assertTrue(!here || check.worst() == within, "gradient " + wrong + ": " + check);
        }
      }
    }
  }

  @Test
  void ofSeveralWrongGradientsTheWorstIsNamed() {
    NetworkSpec network = NetworkSpec.of(Activation.SILU, 3, 4, 2);
    NumpyRandom stream = new NumpyRandom(SEED);
    Dataset data = RandomData.draw(9, network, Loss.MSE, stream);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    try (Backend backend = new WrongGradientBackend(Map.of(2, 1.001, 5, 2.0, 9, 1.001));
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      List<GradientCheck> checks = differences.at(parameters);
      assertEquals(5, checks.get(checks.size() - 1).worst(), checks.toString());
    }
  }

  @Test
  void hugeParametersDoNotSwallowTheStep() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {0});
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      assertAllRight("bias of 1e15", differences.at(new double[] {0.5, 1e15}).subList(0, 1));
    }
  }

  @Test
  void nanGradientIsWrong() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 2);
    NumpyRandom stream = new NumpyRandom(SEED);
    Dataset data = RandomData.draw(3, network, Loss.MSE, stream);
    try (Backend backend = new WrongGradientBackend(Map.of(1, Double.NaN));
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      List<GradientCheck> checks = differences.at(Initializer.PYTORCH.draw(network, stream));
      assertFalse(checks.stream().allMatch(GradientCheck::ok));
    }
  }

  @Test
  void coordinatesAtAKinkAreSkippedAndNothingComparedIsNotAllRight() {
    // Every weight and bias is 0, so Z is 0 in every hidden unit: each step of W[0] or b[0] crosses relu's kink.
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 2, 3, 1);
    Dataset data = RandomData.draw(5, network, Loss.MSE, new NumpyRandom(SEED));
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      List<GradientCheck> checks = differences.at(new double[ParameterLayout.of(network).size()]);
      for (GradientCheck check : checks) {
        boolean hidden = check.slice().layer() == 0;
        assertEquals(hidden ? check.slice().size() : 0, check.skipped(), check.toString());
        assertEquals(!hidden, check.ok(), check.toString());
      }
    }
  }

  /** A linear network of zeros whose only output differs from its target by exactly the place of the loss's kink. */
  @ParameterizedTest
  @CsvSource({"MAE, 0", "HUBER, 1", "HUBER, -1"})
  void kinksOfTheLossesAreSkipped(Loss loss, double target) {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {target});
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, loss, data)) {
      for (GradientCheck check : differences.at(new double[2])) {
        assertEquals(1, check.skipped(), check.toString());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"RELU", "LEAKY_RELU", "ELU"})
  void kinksOfTheActivationsAreSkipped(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {3});
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      // W[1] = 1 lets the gradient through to the hidden unit, whose Z is 0.
      for (GradientCheck check : differences.at(new double[] {0, 0, 1, 0})) {
        assertEquals(check.slice().layer() == 0 ? 1 : 0, check.skipped(), check.toString());
      }
    }
  }

  @Test
  void tensorsComeInTheOrderOfBackpropagation() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 3, 1);
    NumpyRandom stream = new NumpyRandom(SEED);
    Dataset data = RandomData.draw(5, network, Loss.MSE, stream);
    try (Backend backend = new ReferenceBackend();
        FiniteDifferences differences = new FiniteDifferences(backend, network, Loss.MSE, data)) {
      List<String> names = differences.at(Initializer.PYTORCH.draw(network, stream)).stream()
          .map(check -> check.slice().name()).toList();
      assertEquals(List.of("layers.1.bias", "layers.1.weight", "layers.0.bias", "layers.0.weight"), names);
    }
  }
}
