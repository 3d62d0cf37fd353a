package dev.plumb.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
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
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Checks of networks with normalizations and residual connections: correct devices pass, and the first wrong tensor is named. */
class NormalizedCheckTest {
  private static final long SEED = 31415;
  private static final int REPLICAS = 2;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 5, 5, 4, 4, 2).withResidual(true);

  /** Returns weights, and scales, shifts and running statistics other than the initial ones. */
  static double[] start(NetworkSpec network, long seed) {
    NumpyRandom stream = new NumpyRandom(seed);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      switch (slice.kind()) {
        case SCALE, RUNNING_VARIANCE -> stream.uniform(0.5, 1.5, parameters, slice.offset(), slice.size());
        case SHIFT, RUNNING_MEAN -> stream.uniform(-0.5, 0.5, parameters, slice.offset(), slice.size());
        case WEIGHT, BIAS -> { }
      }
    }
    return parameters;
  }

  private static void check(Backend device, NetworkSpec network, TrainingSpec training, CheckListener listener) {
    Dataset data = RandomData.draw(13, network, training.loss(), new NumpyRandom(SEED));
    try (CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), 1, listener);
        TrainingSession session = checked.open(network, training, REPLICAS)) {
      for (int replica = 0; replica < REPLICAS; replica++) {
        session.write(Slot.PARAMETERS, replica, start(network, SEED + replica));
      }
      session.bind(data.withWeights(RandomWeights.draw(13, new NumpyRandom(SEED))));
      session.run(StepChunk.of(3).learningRate(0.01).batches(new int[][] {null, {3, 1, 12, 7, 5}, {0, 2}}).build());
      session.sync();
    }
  }

  private static TrainingSpec training() {
    return TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT_W, 0.01, 1).withClipNorm(0.1).withDropout(new Dropout(0.3, SEED));
  }

  @ParameterizedTest
  @EnumSource(Normalization.class)
  void deviceThatComputesTheSamePasses(Normalization normalization) {
    NetworkSpec network = NETWORK.withNormalization(normalization);
    RecordedChecks found = new RecordedChecks();
    check(new ReferenceBackend(), network, training(), found);
    assertEquals(List.of(0L, 1L, 2L), found.steps);
    for (TensorCheck tensor : found.tensors) {
      assertEquals(TensorCheck.Verdict.OK, tensor.verdict(), tensor.toString());
      assertTrue(tensor.units() < 1e-2, tensor.toString());
    }
    // Z, A and D of 4 layers, H of 3, the loss, gradients, two moments and parameters of every tensor, running statistics.
    int trained = normalization == Normalization.NONE ? 8 : 14;
    int expected = 12 + (normalization == Normalization.NONE ? 0 : 3) + 1 + 4 * trained + (normalization == Normalization.BATCH ? 6 : 0);
    assertEquals(expected * REPLICAS * 3, found.tensors.size());
  }

  @ParameterizedTest
  @CsvSource({
    "BATCH, PRE, 1, 'layer 1, layers.1.pre[1,3]'", "BATCH, NORMALIZED, 1, 'layer 1, layers.1.normalized[1,3]'",
    "LAYER, NORMALIZED, 0, 'layer 0, layers.0.normalized[1,2]'", "BATCH, POST, 2, 'layer 2, layers.2.post[1,3]'",
    "NONE, POST, 2, 'layer 2, layers.2.post[1,3]'", "LAYER, DELTA, 1, 'layer 1, layers.1.delta[1,3]'",
    "BATCH, DELTA, 0, 'layer 0, layers.0.delta[1,2]'", "NONE, DELTA, 1, 'layer 1, layers.1.delta[1,3]'",
  })
  void wrongIntermediateValueIsNamed(Normalization normalization, Quantity quantity, int layer, String name) {
    for (double change : new double[] {1e-4, Double.NaN}) {
      assertNamed(normalization, new FaultyBackend.Fault(quantity, layer, 1, 7, 0, value -> value + change), name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BATCH, GRADIENT, SCALE, 1, 'layers.1.norm.weight gradient[2]'", "LAYER, GRADIENT, SHIFT, 2, 'layers.2.norm.bias gradient[2]'",
    "BATCH, GRADIENT, BIAS, 0, 'layers.0.bias gradient[2]'", "BATCH, PARAMETERS, RUNNING_MEAN, 0, 'layers.0.norm.running_mean[2]'",
    "BATCH, PARAMETERS, RUNNING_VARIANCE, 2, 'layers.2.norm.running_var[2]'", "LAYER, PARAMETERS, SCALE, 0, 'layers.0.norm.weight[2]'",
    "BATCH, MOMENT1, SHIFT, 1, 'layers.1.norm.bias moment1[2]'",
  })
  void wrongStateIsNamed(Normalization normalization, Quantity quantity, ParameterLayout.Kind kind, int layer, String name) {
    int index = ParameterLayout.of(NETWORK.withNormalization(normalization)).slice(kind, layer).offset() + 2;
    assertNamed(normalization, new FaultyBackend.Fault(quantity, 0, 1, index, 0, value -> value + 1e-4), name);
  }

  /** The variance of the 13 rows of the first step without Bessel's correction. */
  @Test
  void runningVarianceWithoutCorrectionIsNamed() {
    NetworkSpec network = NETWORK.withNormalization(Normalization.BATCH);
    int index = ParameterLayout.of(network).slice(ParameterLayout.Kind.RUNNING_VARIANCE, 0).offset();
    double before = start(network, SEED + 1)[index];
    assertNamed(Normalization.BATCH, new FaultyBackend.Fault(Quantity.PARAMETERS, 0, 1, index, 0,
        value -> 0.9 * before + (value - 0.9 * before) * 12 / 13), "layers.0.norm.running_var[0]");
  }

  private static void assertNamed(Normalization normalization, FaultyBackend.Fault fault, String name) {
    CheckFailedException failed = assertThrows(CheckFailedException.class, () -> check(new FaultyBackend(fault),
        NETWORK.withNormalization(normalization), training(), new CheckLog(CheckMode.FAIL, line -> { })));
    assertTrue(failed.getMessage().contains("step 0, replica 1, ") && failed.getMessage().contains(name), failed.getMessage());
  }

  /** A layer normalization of one unit has a gradient of exactly 0 in the reference. */
  @Test
  void roundingOfACancelledGradientIsAccepted() {
    NetworkSpec network = NetworkSpec.of(Activation.SILU, 5, 1, 1, 2).withNormalization(Normalization.LAYER);
    for (Precision precision : new Precision[] {Precision.FP64, Precision.FP32}) {
      RecordedChecks found = new RecordedChecks();
      check(new CpuBackend(CpuOptions.standard(), note -> { }), network, training().withPrecision(precision), found);
      assertTrue(found.tensors.stream().allMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.OK), found.tensors.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void deviceThatRoundsIsWithinSinglePrecision(boolean weighted) {
    ToleranceSurvey survey = new ToleranceSurvey();
    try (Backend rounding = new RoundingBackend()) {
      survey.run(rounding, Precision.FP32, 2, weighted, true);
    }
    assertTrue(survey.largestUnits() < 1 && survey.largestUnits() > 0.01, "largest error " + survey.largestUnits());
  }
}
