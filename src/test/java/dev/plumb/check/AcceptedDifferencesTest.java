package dev.plumb.check;

import static dev.plumb.check.CheckedTraining.NETWORK;
import static dev.plumb.check.CheckedTraining.SEED;
import static dev.plumb.check.CheckedTraining.TRAINING;
import static dev.plumb.check.CheckedTraining.start;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Differences between device and reference that a check accepts: rounding, kinks, dropout's factor, divergence of both. */
class AcceptedDifferencesTest {
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deviceThatRoundsIsWithinSinglePrecision(boolean weighted) {
    ToleranceSurvey survey = new ToleranceSurvey();
    try (Backend rounding = new RoundingBackend()) {
      survey.run(rounding, Precision.FP32, 4, weighted, false);
    }
    assertTrue(survey.largestUnits() < 1 && survey.largestUnits() > 0.1, "largest error " + survey.largestUnits());
  }

  @ParameterizedTest
  @ValueSource(strings = {"RELU", "LEAKY_RELU"})
  void otherSideOfAKinkIsSkippedAndTheOtherRowsAreStillChecked(Activation activation) {
    // Z of the first row is w + b, 0 up to rounding: the device's weight of 1 - 2e-8 puts it below 0, the reference's above.
    NetworkSpec network = NetworkSpec.of(activation, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1, 2, 3}, new double[] {5, 7, 11});
    double[] parameters = {1 + 1e-8, -1, 1, 0};
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    for (double wrong : new double[] {0, 1}) {
      RecordedChecks found = new RecordedChecks();
      Backend device = new HiddenWeightBackend(0, -2e-8);
      Backend spoiled = wrong == 0 ? device
          : new FaultyBackend(device, new FaultyBackend.Fault(Quantity.GRADIENT, 0, 0, 0, 0, value -> value + wrong));
      try (CheckedBackend checked = new CheckedBackend(spoiled, new ReferenceBackend(), 1, found);
          TrainingSession session = checked.open(network, training, 1)) {
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
        session.run(StepChunk.of(1).learningRate(0.01).build());
      }
      TensorCheck gradient = found.first("layers.0.weight gradient");
      assertEquals(wrong == 0 ? TensorCheck.Verdict.OK : TensorCheck.Verdict.WRONG, gradient.verdict(), gradient.toString());
      if (wrong == 0) {
        assertEquals(1, found.first("layers.0.delta").skipped());
        assertEquals(2, found.first("layers.0.delta").compared());
        assertTrue(found.tensors.stream().allMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.OK));
      }
    }
  }

  @Test
  void whatDropoutScalesUpMayBeOffByAsMuchMore() {
    // Z is 1 - 1 = 0, and on the device half of what it may be off by; what is kept of A is ten times that.
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 1, 1);
    double[] ones = new double[2 * 40];
    Arrays.fill(ones, 1);
    Dataset data = Dataset.ofTargets(2, 1, ones, new double[40]);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32)
        .withDropout(new Dropout(0.9, SEED));
    double error = 0.5 * Tolerances.of(Precision.FP32).forward();
    RecordedChecks found = new RecordedChecks();
    try (CheckedBackend checked = new CheckedBackend(new HiddenWeightBackend(0, error), new ReferenceBackend(), 1, found);
        TrainingSession session = checked.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {1, -1, 0, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
    TensorCheck post = found.first("layers.0.post");
    assertEquals(10 * error, Math.abs(post.actual() - post.expected()), 0.01 * error);
    assertEquals(TensorCheck.Verdict.OK, post.verdict(), post.toString());
  }

  /** Derivatives of saturated units are differences of nearly equal numbers, and a narrow layer can have no other units. */
  @ParameterizedTest
  @CsvSource({"SIGMOID, 8", "SIGMOID, -8", "SIGMOID, 20", "TANH, 4", "TANH, -8", "GELU, -4", "GELU, 4", "SILU, -8", "ELU, -8",
    "SOFTPLUS, -8"})
  void derivativesOfSaturatedUnitsAreWithinBounds(Activation activation, double bias) {
    NetworkSpec network = NetworkSpec.of(activation, 2, 3, 2, 1);
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      for (int seed = 0; seed < 20; seed++) {
        NumpyRandom stream = new NumpyRandom(seed);
        double[] parameters = CheckedTraining.withHiddenBias(network, bias, stream);
        CheckLog log = new CheckLog(CheckMode.FAIL, line -> { });
        try (CheckedBackend checked = new CheckedBackend(
                new CpuBackend(CpuOptions.standard(), note -> { }), new ReferenceBackend(), 1, log);
            TrainingSession session = checked.open(
                network, TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision), 1)) {
          session.write(Slot.PARAMETERS, 0, parameters);
          session.bind(RandomData.draw(7, network, Loss.MSE, stream));
          session.run(StepChunk.of(1).learningRate(0.01).build());
        }
        assertEquals(1, log.steps());
      }
    }
  }

  @Test
  void nothingLeftToCompareIsNotAllRight() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {5});
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    RecordedChecks found = new RecordedChecks();
    try (CheckedBackend checked =
        new CheckedBackend(new HiddenWeightBackend(0, -2e-8), new ReferenceBackend(), 1, found);
        TrainingSession session = checked.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {1 + 1e-8, -1, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
    assertEquals(TensorCheck.Verdict.NOT_CHECKED, found.first("layers.0.delta").verdict());
    assertEquals(TensorCheck.Verdict.NOT_CHECKED, found.first("layers.0.weight gradient").verdict());
  }

  @Test
  void divergenceOfBothIsSaidAndIsNoDisagreement() {
    for (int every : new int[] {1, 7}) {
      List<String> lines = new ArrayList<>();
      CheckLog log = new CheckLog(CheckMode.FAIL, lines::add);
      try (CheckedBackend checked = new CheckedBackend(new FaultyBackend(null), new ReferenceBackend(), every, log);
          TrainingSession session = checked.open(NETWORK, TRAINING, 2)) {
        start(session);
        session.run(StepChunk.of(30).learningRates(new double[][] {{0.01, 1e200}}).build());
        StepMetrics metrics = session.sync();
        assertEquals(-1, metrics.firstNonFinite()[0]);
        assertTrue(metrics.firstNonFinite()[1] >= 0);
      }
      assertEquals(1, lines.size(), lines.toString());
      assertTrue(lines.get(0).contains("replica 1 diverged: ") || lines.get(0).contains("replica 1 is no longer finite"),
          lines.get(0));
      assertEquals(every == 1 ? 30 : 5, log.steps(), "the other replica is checked to the end");
      assertEquals(0, log.wrong());
    }
  }

  @Test
  void overflowOfSinglePrecisionIsDivergenceWhereTheReferenceIsBeyondIt() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    FaultyBackend.Fault infinite =
        new FaultyBackend.Fault(Quantity.PRE, 0, 0, 0, 0, value -> Double.POSITIVE_INFINITY);
    for (double feature : new double[] {1e30, 1}) {
      RecordedChecks found = new RecordedChecks();
      try (CheckedBackend checked = new CheckedBackend(new FaultyBackend(infinite), new ReferenceBackend(), 1, found);
          TrainingSession session = checked.open(network, TRAINING.withPrecision(Precision.FP32), 1)) {
        session.write(Slot.PARAMETERS, 0, new double[] {1e10, 0});
        session.bind(Dataset.ofTargets(1, 1, new double[] {feature}, new double[] {0}));
        session.run(StepChunk.of(1).learningRate(0).build());
      }
      assertEquals(feature == 1 ? TensorCheck.Verdict.WRONG : TensorCheck.Verdict.DIVERGED, found.tensors.get(0).verdict());
      assertEquals(feature == 1, found.tensors.size() > 1, "nothing behind a divergence is compared");
    }
  }
}
