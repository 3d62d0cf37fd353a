package dev.plumb.check;

import static dev.plumb.check.CheckedTraining.DATA;
import static dev.plumb.check.CheckedTraining.NETWORK;
import static dev.plumb.check.CheckedTraining.REPLICAS;
import static dev.plumb.check.CheckedTraining.SEED;
import static dev.plumb.check.CheckedTraining.STEPS;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import dev.plumb.model.Bfloat16;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The check of a device that rounds the factors of its products to bfloat16. */
class Bfloat16CheckTest {
  private static final TrainingSpec TRAINING =
      CheckedTraining.TRAINING.withPrecision(Precision.BF16).withDropout(new Dropout(0.3, SEED));
  private static final List<OptimizerSpec> OPTIMIZERS = List.of(OptimizerSpec.Sgd.DEFAULT,
      new OptimizerSpec.Sgd(0.9, true, 0.01), OptimizerSpec.Adam.DEFAULT, OptimizerSpec.Adam.DEFAULT_W,
      OptimizerSpec.RmsProp.DEFAULT);

  // A device that is right

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rightDeviceIsWithinBoundsAndUsesThem(boolean weighted) {
    ToleranceSurvey survey = new ToleranceSurvey();
    try (Backend device = new Bfloat16Backend(Bfloat16Fault.NONE)) {
      survey.run(device, Precision.BF16, 4, weighted, false);
    }
    assertTrue(survey.largestUnits() < 1 && survey.largestUnits() > 0.99, "largest error " + survey.largestUnits());
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void everyLossAndOptimizerIsWithinBounds(Activation activation) {
    for (Loss loss : Loss.values()) {
      for (OptimizerSpec optimizer : OPTIMIZERS) {
        NetworkSpec network = NetworkSpec.of(activation, 3, 5, 4, 2);
        NumpyRandom stream = new NumpyRandom(SEED + OPTIMIZERS.indexOf(optimizer));
        Dataset data = RandomData.draw(13, network, loss, stream);
        boolean odd = (loss.ordinal() + OPTIMIZERS.indexOf(optimizer)) % 2 == 1;
        TrainingSpec plain = TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(Precision.BF16);
        TrainingSpec training = odd ? plain.withClipNorm(0.2) : plain.withDropout(new Dropout(0.4, SEED));
        RecordedChecks found = new RecordedChecks();
        try (CheckedBackend checked = checked(new Bfloat16Backend(Bfloat16Fault.NONE), found);
            TrainingSession session = checked.open(network, training, REPLICAS)) {
          for (int replica = 0; replica < REPLICAS; replica++) {
            session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, stream));
          }
          session.bind(odd ? data.withWeights(RandomWeights.draw(data.rows(), stream)) : data);
          session.run(StepChunk.of(3).learningRate(0.01).replicaBatches(batches(stream)).build());
        }
        String where = activation + " " + loss + " " + optimizer + ": ";
        assertEquals(3, found.steps.size());
        assertEquals(Optional.empty(), found.tensors.stream()
            .filter(tensor -> tensor.verdict() != TensorCheck.Verdict.OK || tensor.skipped() > 0).findFirst(), where);
      }
    }
  }

  /** Returns batches of 5 rows, of 1 row and of all, different for each replica. */
  private static int[][][] batches(NumpyRandom stream) {
    int[][][] batches = new int[3][REPLICAS][];
    for (int replica = 0; replica < REPLICAS; replica++) {
      batches[0][replica] = Arrays.copyOf(stream.permutation(13), 5);
      batches[1][replica] = Arrays.copyOf(stream.permutation(13), 1);
    }
    return batches;
  }

  @ParameterizedTest
  @CsvSource({"SIGMOID, 8", "SIGMOID, -8", "TANH, 4", "TANH, -12", "GELU, -8", "SILU, -12", "ELU, -8", "SOFTPLUS, -12"})
  void derivativesOfSaturatedUnitsAreWithinBounds(Activation activation, double bias) {
    NetworkSpec network = NetworkSpec.of(activation, 2, 3, 2, 1);
    for (int seed = 0; seed < 10; seed++) {
      NumpyRandom stream = new NumpyRandom(seed);
      double[] parameters = CheckedTraining.withHiddenBias(network, bias, stream);
      CheckLog log = new CheckLog(CheckMode.FAIL, line -> { });
      train(network, parameters, RandomData.draw(7, network, Loss.MSE, stream), log);
      assertEquals(1, log.steps());
    }
  }

  @Test
  void numbersBelowTheNormalOnesMayLoseDigits() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1, 1);
    CheckLog log = new CheckLog(CheckMode.FAIL, line -> { });
    train(network, new double[] {3e-20, 0, 1, 0}, Dataset.ofTargets(1, 1, new double[] {3e-20}, new double[] {0}), log);
    assertEquals(1, log.steps());
  }

  /** Tensor cores truncate: over many rows, weight gradients have errors that sums rounded to nearest do not have. */
  @ParameterizedTest
  @CsvSource({"SUMS_TRUNCATED, OK", "EVERY_SUM_TRUNCATED, WRONG", "WEIGHT_GRADIENT_OF_UNROUNDED_ACTIVATIONS, WRONG"})
  void truncatedSumsOverManyRowsAreWithinBounds(Bfloat16Fault fault, TensorCheck.Verdict verdict) {
    NetworkSpec network = NetworkSpec.of(Activation.ELU, 7, 15, 15, 2);
    NumpyRandom stream = new NumpyRandom(SEED);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    RecordedChecks found = new RecordedChecks();
    try (CheckedBackend checked = checked(new Bfloat16Backend(fault), found);
        TrainingSession session = checked.open(network, TrainingSpec.of(Loss.HUBER, OptimizerSpec.Adam.DEFAULT, 0.01, 1)
            .withPrecision(Precision.BF16), 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(RandomData.draw(10_000, network, Loss.HUBER, stream));
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
    assertEquals(verdict, found.first("layers.1.weight gradient").verdict());
    if (verdict == TensorCheck.Verdict.OK) {
      assertEquals(Optional.empty(), found.tensors.stream().filter(tensor -> tensor.verdict() != verdict).findFirst());
    }
  }

  @Test
  void trainingIsBitForBitWhatItIsWithout() {
    StepChunk chunk = StepChunk.of(STEPS).learningRate(0.01).build();
    try (Backend device = new Bfloat16Backend(Bfloat16Fault.NONE);
        CheckedBackend checked = checked(new Bfloat16Backend(Bfloat16Fault.NONE), new RecordedChecks());
        TrainingSession expected = device.open(NETWORK, TRAINING, REPLICAS);
        TrainingSession session = checked.open(NETWORK, TRAINING, REPLICAS)) {
      CheckedTraining.start(expected);
      CheckedTraining.start(session);
      expected.run(chunk);
      session.run(chunk);
      for (int replica = 0; replica < REPLICAS; replica++) {
        for (Slot slot : Slot.values()) {
          assertSameBits(slot.name(), StepTrace.vector(expected, slot, replica), StepTrace.vector(session, slot, replica));
        }
      }
    }
  }

  // Mistakes of a device

  @ParameterizedTest
  @CsvSource({
    "FEATURES_TRUNCATED, 0, layers.0.pre",
    "WEIGHTS_TRUNCATED, 0, layers.0.pre",
    "ACTIVATIONS_TRUNCATED, 0, layers.0.post",
    "DELTAS_TRUNCATED, 0, layers.2.delta",
    "FEATURES_IN_FP16, 0, layers.0.pre",
    "WEIGHTS_IN_FP16, 0, layers.0.pre",
    "ACTIVATIONS_IN_FP16, 0, layers.0.post",
    "DELTAS_IN_FP16, 0, layers.2.delta",
    "ACTIVATIONS_NOT_ROUNDED, 0, layers.0.post",
    "DELTAS_NOT_ROUNDED, 0, layers.2.delta",
    "BIASES_ROUNDED, 0, layers.0.pre",
    "SUMS_ROUNDED, 0, layers.0.pre",
    "WEIGHTS_NOT_REFRESHED, 1, layers.0.pre",
    "BACKWARD_WEIGHTS_NOT_ROUNDED, 0, layers.1.delta",
    "DROPOUT_AFTER_ROUNDING, 0, layers.0.post",
    "DERIVATIVE_AT_ROUNDED_SUMS, 0, layers.1.delta",
    "BIAS_GRADIENT_OF_ROUNDED_DELTAS, 0, layers.2.bias gradient",
    "WEIGHT_GRADIENT_OF_UNROUNDED_ACTIVATIONS, 0, layers.2.weight gradient",
    "WEIGHT_GRADIENT_OF_UNROUNDED_DELTAS, 0, layers.2.weight gradient",
    "UPDATE_OF_ROUNDED_WEIGHTS, 0, layers.2.weight",
  })
  void firstWrongTensorIsNamed(Bfloat16Fault fault, int step, String tensor) {
    String found = firstWrong(new Bfloat16Backend(fault), TRAINING, NETWORK).orElse("nothing");
    assertTrue(found.startsWith("3-5-4-2 tanh, step " + step + ", replica 0, layer "), found);
    assertTrue(found.contains(", " + tensor + "["), found);
    boolean otherFormat = List.of(Bfloat16Fault.ACTIVATIONS_IN_FP16, Bfloat16Fault.DELTAS_IN_FP16,
        Bfloat16Fault.ACTIVATIONS_NOT_ROUNDED, Bfloat16Fault.DELTAS_NOT_ROUNDED).contains(fault);
    assertEquals(otherFormat, found.endsWith(", not rounded to bfloat16"), found);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void truncationIsFoundForEveryActivation(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 5, 4, 2);
    for (Bfloat16Fault fault : List.of(Bfloat16Fault.ACTIVATIONS_TRUNCATED, Bfloat16Fault.DELTAS_TRUNCATED)) {
      String tensor = fault == Bfloat16Fault.ACTIVATIONS_TRUNCATED ? ", layers.0.post[" : ", layers.2.delta[";
      String found = firstWrong(new Bfloat16Backend(fault), TRAINING, network).orElse("nothing");
      assertTrue(found.contains(", step 0, ") && found.contains(tensor), found);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 1})
  void neighborOfTheRightNumberIsWrong(int units) {
    for (Quantity quantity : List.of(Quantity.POST, Quantity.DELTA)) {
      int named = 0;
      for (int index = 0; index < 4 * DATA.rows(); index++) {
        FaultyBackend.Fault fault = new FaultyBackend.Fault(quantity, 1, 1, index, 0,
            value -> value == 0 ? 1 : Bfloat16.value((short) (Bfloat16.bits((float) value) + units)));
        String found = firstWrong(new FaultyBackend(new Bfloat16Backend(Bfloat16Fault.NONE), fault), TRAINING, NETWORK)
            .orElse("nothing");
        named += found.contains(", step 0, replica 1, layer 1, layers.1." + quantity.key() + "["
            + index / 4 + "," + index % 4 + "]") ? 1 : 0;
      }
      // Two neighbors may be equally near.
      assertTrue(named >= 4 * DATA.rows() - 2, named + " of " + quantity);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PRE, 1, 2, 7, 'layer 1, layers.1.pre[1,3]'",
    "POST, 1, 1, 7, 'layer 1, layers.1.post[1,3]'",
    "DELTA, 1, 0, 7, 'layer 1, layers.1.delta[1,3]'",
    "LOSS, 0, 2, 0, 'layer 2, loss'",
    "GRADIENT, 0, 1, 25, 'layer 1, layers.1.weight gradient[1,0]'",
    "MOMENT1, 0, 2, 43, 'layer 1, layers.1.bias moment1[3]'",
    "PARAMETERS, 0, 1, 25, 'layer 1, layers.1.weight[1,0]'",
  })
  void wrongTensorIsNamedWithPlaceAndReplica(Quantity quantity, int layer, int replica, int index, String name) {
    for (double change : new double[] {1e-4, Double.NaN, Double.POSITIVE_INFINITY}) {
      FaultyBackend.Fault fault = new FaultyBackend.Fault(quantity, layer, replica, index, 0, value -> value + change);
      String found = firstWrong(new FaultyBackend(new Bfloat16Backend(Bfloat16Fault.NONE), fault), TRAINING, NETWORK)
          .orElse("nothing");
      assertTrue(found.startsWith("3-5-4-2 tanh, step 0, replica " + replica + ", " + name + ": cpu "), found);
    }
  }

  // Numbers beyond the range

  @ParameterizedTest
  @ValueSource(strings = {"TANH", "RELU"})
  void divergenceOfBothIsReportedAndIsNoDisagreement(Activation activation) {
    List<String> lines = new ArrayList<>();
    CheckLog log = new CheckLog(CheckMode.FAIL, lines::add);
    NetworkSpec network = NetworkSpec.of(activation, 3, 5, 4, 2);
    try (CheckedBackend checked = checked(new Bfloat16Backend(Bfloat16Fault.NONE), log);
        TrainingSession session = checked.open(network, TRAINING, 2)) {
      CheckedTraining.start(session);
      session.run(StepChunk.of(20).learningRates(new double[][] {{0.01, 1e30}}).build());
    }
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.get(0).contains("replica 1 diverged: "), lines.get(0));
    assertEquals(20, log.steps(), "the other replica is checked to the end");
  }

  @Test
  void infinityIsDivergenceUnlessTheDataIsBeyondTheRange() {
    // Between the largest numbers of bfloat16 and of single precision.
    double beyond = 3.4e38;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1, 1);
    RecordedChecks weight = new RecordedChecks();
    train(network, new double[] {beyond, 0, 0, 0}, Dataset.ofTargets(1, 1, new double[] {1e-3}, new double[] {0}), weight);
    assertEquals(TensorCheck.Verdict.DIVERGED, weight.first("layers.0.pre").verdict());
    RecordedChecks feature = new RecordedChecks();
    train(network, new double[] {1e-3, 0, 0, 0}, Dataset.ofTargets(1, 1, new double[] {beyond}, new double[] {0}), feature);
    assertEquals(TensorCheck.Verdict.WRONG, feature.first("layers.0.pre").verdict());
  }

  @Test
  void referenceGetsFeaturesInBfloat16AndTheOtherNumbersInSinglePrecision() {
    double[] weights = new double[DATA.rows()];
    Arrays.fill(weights, 0.1);
    Dataset rounded = StepRows.rounded(DATA.withWeights(weights), Precision.BF16);
    assertEquals(Bfloat16.rounded(DATA.feature(3, 1)), rounded.feature(3, 1));
    assertFalse((float) DATA.feature(3, 1) == rounded.feature(3, 1));
    assertEquals((float) DATA.target(3, 1), rounded.target(3, 1));
    assertEquals(0.1f, rounded.weight(3));
  }

  /** Runs one step of a right device. */
  private static void train(NetworkSpec network, double[] parameters, Dataset data, CheckListener listener) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.BF16);
    try (CheckedBackend checked = checked(new Bfloat16Backend(Bfloat16Fault.NONE), listener);
        TrainingSession session = checked.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
  }

  /** Returns one line about the first tensor out of bounds in two steps. */
  private static Optional<String> firstWrong(Backend device, TrainingSpec training, NetworkSpec network) {
    CheckLog log = new CheckLog(CheckMode.REPORT, line -> { });
    try (CheckedBackend checked = checked(device, log);
        TrainingSession session = checked.open(network, training, REPLICAS)) {
      CheckedTraining.start(session);
      session.run(StepChunk.of(2).learningRate(0.01).build());
    }
    return log.firstWrong();
  }

  private static CheckedBackend checked(Backend device, CheckListener listener) {
    return new CheckedBackend(device, new ReferenceBackend(), 1, listener);
  }
}
