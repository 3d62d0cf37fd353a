package dev.plumb.check;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
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

class CheckedBackendTest {
  private static final long SEED = 271828;
  private static final int REPLICAS = 3;
  private static final int STEPS = 8;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 5, 4, 2);
  private static final TrainingSpec TRAINING =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withClipNorm(0.5);
  private static final Dataset DATA = RandomData.draw(13, NETWORK, Loss.MSE, new NumpyRandom(SEED));

  /** Keeps all that a check says. */
  private static final class Everything implements CheckListener {
    private final List<Long> steps = new ArrayList<>();
    private final List<TensorCheck> tensors = new ArrayList<>();
    private final List<Long> notFinite = new ArrayList<>();

    @Override
    public void checked(CheckedStep step, List<TensorCheck> found) {
      steps.add(step.step());
      tensors.addAll(found);
    }

    @Override
    public void notFinite(CheckedStep before, int replica) {
      notFinite.add(before.step());
    }

    TensorCheck only(String name) {
      return tensors.stream().filter(tensor -> tensor.tensor().name().equals(name)).findFirst().orElseThrow();
    }
  }

  // What is found, and what it is called

  @ParameterizedTest
  @CsvSource({
    "PRE, 1, 2, 7, 'layer 1, layers.1.pre[1,3]'",
    "POST, 1, 1, 7, 'layer 1, layers.1.post[1,3]'",
    "DELTA, 1, 0, 7, 'layer 1, layers.1.delta[1,3]'",
    "LOSS, 0, 2, 0, 'layer 2, loss'",
    "GRADIENT, 0, 1, 25, 'layer 1, layers.1.weight gradient[1,0]'",
    "MOMENT1, 0, 2, 43, 'layer 1, layers.1.bias moment1[3]'",
    "MOMENT2, 0, 2, 25, 'layer 1, layers.1.weight moment2[1,0]'",
    "PARAMETERS, 0, 1, 25, 'layer 1, layers.1.weight[1,0]'",
  })
  void wrongTensorIsNamedWithPlaceAndReplica(Quantity quantity, int layer, int replica, int index, String name) {
    for (double change : new double[] {1e-4, Double.NaN, Double.POSITIVE_INFINITY}) {
      FaultyBackend.Fault fault = new FaultyBackend.Fault(quantity, layer, replica, index, 0, value -> value + change);
      String message = failure(fault, 1).getMessage();
      assertTrue(message.startsWith("3-5-4-2 tanh, step 0, replica " + replica + ", " + name + ": cpu "), message);
      assertTrue(message.contains(", reference ") && message.endsWith(" what is allowed"), message);
      assertEquals(1, message.lines().count());
    }
  }

  @Test
  void upstreamTensorIsNamedAndNotItsConsequences() {
    // One weight of the middle layer goes wrong where it cannot be read: all behind layer 1's Z is wrong then.
    int weight = ParameterLayout.of(NETWORK).weight(1).offset() + 6;
    CheckLog log = new CheckLog(CheckMode.REPORT, line -> { });
    try (CheckedBackend checked =
        new CheckedBackend(new HiddenWeightBackend(weight, 0.01), new ReferenceBackend(), 1, log)) {
      run(checked, StepChunk.of(1).learningRate(0.01).build());
    }
    assertTrue(log.firstWrong().orElseThrow().contains("replica 0, layer 1, layers.1.pre["), log.firstWrong().toString());
    assertTrue(log.wrong() > 10 * REPLICAS, log.wrong() + " tensors: the consequences are wrong too");
  }

  @ParameterizedTest
  @CsvSource({"1, 4, 4", "3, 4, 6", "3, 6, 6", "3, 1, 3", "100, 0, 0"})
  void faultFromSomeStepOnIsFoundAtTheNextCheckedStep(int every, long from, long found) {
    FaultyBackend.Fault fault = new FaultyBackend.Fault(Quantity.GRADIENT, 0, 0, 3, from, value -> value * 1.01);
    String message = failure(fault, every).getMessage();
    assertTrue(message.contains("step " + found + ", replica 0, layer 0, layers.0.weight gradient[1,0]"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PRE", "POST", "DELTA", "LOSS", "GRADIENT", "MOMENT1", "MOMENT2", "PARAMETERS"})
  void errorBelowToleranceIsAcceptedAndAboveIsNot(Quantity quantity) {
    Everything exact = new Everything();
    check(new FaultyBackend(null), 1, exact);
    TensorCheck tensor = exact.tensors.stream()
        .filter(check -> check.tensor().quantity() == quantity && check.tensor().layer() > 0).findFirst().orElseThrow();
    int index = tensor.tensor().slice().map(ParameterLayout.Slice::offset).orElse(0);
    for (double factor : new double[] {0.9, 1.1}) {
      double change = factor * tensor.allowed();
      FaultyBackend.Fault fault = new FaultyBackend.Fault(
          quantity, tensor.tensor().layer(), 0, index, 0, value -> value + change);
      if (factor < 1) {
        Everything near = new Everything();
        check(new FaultyBackend(fault), STEPS, near);
        assertEquals(TensorCheck.Verdict.OK, near.only(tensor.tensor().name()).verdict());
        assertEquals(factor, near.only(tensor.tensor().name()).units(), 0.05);
      } else {
        assertTrue(failure(fault, STEPS).getMessage().contains(" " + tensor.tensor().name()));
      }
    }
  }

  @Test
  void updateIsHeldToItsChangeAndNotToTheSizeOfTheParameters() {
    // A tenth of a step of 1e-6 is nothing beside a weight of 0.5, and wrong all the same.
    TrainingSpec small = TRAINING.withPrecision(Precision.FP32);
    FaultyBackend.Fault fault = new FaultyBackend.Fault(Quantity.PARAMETERS, 0, 0, 0, 0, value -> value + 2e-6);
    CheckLog log = new CheckLog(CheckMode.REPORT, line -> { });
    try (CheckedBackend checked = new CheckedBackend(new FaultyBackend(fault), new ReferenceBackend(), 1, log)) {
      run(checked, small, StepChunk.of(1).learningRate(1e-5).build());
    }
    assertTrue(log.firstWrong().orElse("none").contains("layers.0.weight[0,0]"), log.firstWrong().toString());
  }

  @Test
  void otherMaskIsFoundWhereItIsMade() {
    Everything found = new Everything();
    Dropout dropout = new Dropout(0.3, SEED);
    Backend other = new OtherDropoutBackend(new Dropout(0.3, SEED + 1));
    try (CheckedBackend checked = new CheckedBackend(other, new ReferenceBackend(), 1, found)) {
      run(checked, TRAINING.withDropout(dropout), StepChunk.of(1).learningRate(0.01).build());
    }
    TensorCheck first =
        found.tensors.stream().filter(tensor -> tensor.verdict() == TensorCheck.Verdict.WRONG).findFirst().orElseThrow();
    assertEquals("layers.0.post", first.tensor().name());
    assertEquals(0, first.replica());
  }

  @ParameterizedTest
  @CsvSource({"ROWS, FP64", "PRODUCTS, FP64", "ROWS, FP32", "PRODUCTS, FP32"})
  void stepsWithDropoutAgreeWithTheReference(CpuOptions.Method method, Precision precision) {
    Everything found = new Everything();
    TrainingSpec training = TRAINING.withPrecision(precision).withDropout(new Dropout(0.4, SEED));
    CpuOptions options = CpuOptions.standard().withMethod(method);
    try (CheckedBackend checked = new CheckedBackend(new CpuBackend(options, note -> { }), new ReferenceBackend(), 3, found)) {
      run(checked, training, StepChunk.of(STEPS).learningRate(0.01).build());
    }
    assertEquals(List.of(0L, 3L, 6L), found.steps);
    assertTrue(found.tensors.stream().allMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.OK), found.tensors.toString());
  }

  // What is not an error

  @Test
  void deviceThatRoundsIsWithinSinglePrecision() {
    ToleranceSurvey survey = new ToleranceSurvey();
    try (Backend rounding = new RoundingBackend()) {
      survey.run(rounding, Precision.FP32, 4);
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
      Everything found = new Everything();
      Backend device = new HiddenWeightBackend(0, -2e-8);
      Backend spoiled = wrong == 0 ? device
          : new FaultyBackend(device, new FaultyBackend.Fault(Quantity.GRADIENT, 0, 0, 0, 0, value -> value + wrong));
      try (CheckedBackend checked = new CheckedBackend(spoiled, new ReferenceBackend(), 1, found);
          TrainingSession session = checked.open(network, training, 1)) {
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
        session.run(StepChunk.of(1).learningRate(0.01).build());
      }
      TensorCheck gradient = found.only("layers.0.weight gradient");
      assertEquals(wrong == 0 ? TensorCheck.Verdict.OK : TensorCheck.Verdict.WRONG, gradient.verdict(), gradient.toString());
      if (wrong == 0) {
        assertEquals(1, found.only("layers.0.delta").skipped());
        assertEquals(2, found.only("layers.0.delta").compared());
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
    Everything found = new Everything();
    try (CheckedBackend checked = new CheckedBackend(new HiddenWeightBackend(0, error), new ReferenceBackend(), 1, found);
        TrainingSession session = checked.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {1, -1, 0, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
    TensorCheck post = found.only("layers.0.post");
    assertEquals(10 * error, Math.abs(post.actual() - post.expected()), 0.01 * error);
    assertEquals(TensorCheck.Verdict.OK, post.verdict(), post.toString());
  }

  @Test
  void nothingLeftToCompareIsNotAllRight() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {5});
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    Everything found = new Everything();
    try (CheckedBackend checked =
        new CheckedBackend(new HiddenWeightBackend(0, -2e-8), new ReferenceBackend(), 1, found);
        TrainingSession session = checked.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {1 + 1e-8, -1, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0.01).build());
    }
    assertEquals(TensorCheck.Verdict.NOT_CHECKED, found.only("layers.0.delta").verdict());
    assertEquals(TensorCheck.Verdict.NOT_CHECKED, found.only("layers.0.weight gradient").verdict());
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
      assertTrue(lines.get(0).contains("replica 1 diverged: ") || lines.get(0).contains("replica 1 is not finite any more"),
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
      Everything found = new Everything();
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

  // The modes

  @Test
  void reportGoesOnAndNamesEachTensorOnce() {
    List<String> lines = new ArrayList<>();
    CheckLog log = new CheckLog(CheckMode.REPORT, lines::add);
    check(new FaultyBackend(new FaultyBackend.Fault(Quantity.DELTA, 1, 1, 2, 3, value -> value + 1)), 1, log);
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.get(0).contains("step 3, replica 1, layer 1, layers.1.delta[0,2]"), lines.get(0));
    assertEquals(STEPS, log.steps());
    assertEquals(STEPS - 3, log.wrong());
    assertTrue(log.summary().startsWith(
        "8 steps checked against the reference: 5 tensors out of bounds; the largest error: "), log.summary());
  }

  @Test
  void histogramCountsErrorsByDecade() {
    List<String> lines = new ArrayList<>();
    CheckLog log = new CheckLog(CheckMode.HISTOGRAM, lines::add);
    check(new FaultyBackend(new FaultyBackend.Fault(Quantity.DELTA, 1, 1, 2, 3, value -> value + 1)), 1, log);
    assertEquals(List.of(), lines);
    List<ErrorHistogram.Row> rows = log.decades().rows();
    ErrorHistogram.Row far = rows.get(rows.size() - 2);
    assertEquals("1e3 and above", far.range());
    assertEquals(STEPS - 3, far.count());
    long all = rows.stream().mapToLong(ErrorHistogram.Row::count).sum();
    assertEquals(all - far.count(), rows.get(0).count(), "all the others are exact");
  }

  // Checking does not change the training

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 100})
  void trainingIsBitForBitWhatItIsWithout(int every) {
    int[][][] batches = new int[STEPS][REPLICAS][];
    double[][] rates = new double[STEPS][REPLICAS];
    NumpyRandom stream = new NumpyRandom(SEED);
    for (int step = 0; step < STEPS; step++) {
      for (int replica = 0; replica < REPLICAS; replica++) {
        batches[step][replica] = step == 5 ? null : Arrays.copyOf(stream.permutation(13), 1 + step % 3 * 4);
        rates[step][replica] = 0.01 * (replica + 1) / (step + 1);
      }
    }
    StepChunk chunk =
        StepChunk.of(STEPS).learningRates(rates).replicaBatches(batches).record(1).record(3).record(6).build();
    FaultyBackend device = new FaultyBackend(null);
    Everything found = new Everything();
    try (Backend plain = new ReferenceBackend();
        CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), every, found);
        TrainingSession expected = plain.open(NETWORK, TRAINING, REPLICAS);
        TrainingSession session = checked.open(NETWORK, TRAINING, REPLICAS)) {
      start(expected);
      start(session);
      for (int i = 0; i < 2; i++) {
        expected.run(chunk);
        session.run(chunk);
      }
      StepMetrics one = expected.sync();
      StepMetrics other = session.sync();
      assertArrayEquals(one.steps(), other.steps());
      assertArrayEquals(one.firstNonFinite(), other.firstNonFinite());
      assertTrue(Arrays.deepEquals(one.loss(), other.loss()));
      assertTrue(Arrays.deepEquals(one.gradientNorms(), other.gradientNorms()));
      assertEquals(0, session.sync().steps().length);
      for (int replica = 0; replica < REPLICAS; replica++) {
        for (Slot slot : Slot.values()) {
          assertSameBits(slot.name(), StepTrace.vector(expected, slot, replica), StepTrace.vector(session, slot, replica));
        }
      }
      assertEquals(expected.stepsTaken(), session.stepsTaken());
      assertSameBits("evaluation", expected.evaluate(DATA).loss(), session.evaluate(DATA).loss());
    }
    assertTrue(found.tensors.stream().allMatch(tensor -> tensor.error() == 0 && tensor.units() == 0));
    assertEquals((2 * STEPS + every - 1) / every, found.steps.size());
    assertTrue(found.steps.stream().allMatch(step -> step % every == 0), found.steps.toString());
  }

  @Test
  void uncheckedStepsRunInOnePiece() {
    FaultyBackend device = new FaultyBackend(null);
    check(device, 5, new Everything());
    assertEquals(List.of(1, 4, 1, 2), device.chunks());
  }

  @Test
  void wrongChunkIsRefusedBeforeAnyOfItRuns() {
    FaultyBackend device = new FaultyBackend(null);
    try (CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), 1, new Everything());
        TrainingSession session = checked.open(NETWORK, TRAINING, 1)) {
      assertThrows(IllegalStateException.class, () -> session.run(StepChunk.of(1).learningRate(0).build()));
      session.bind(DATA);
      StepChunk wrong = StepChunk.of(2).learningRate(0.01).batches(new int[][] {{1}, {13}}).build();
      assertThrows(IllegalArgumentException.class, () -> session.run(wrong));
      assertEquals(0, session.stepsTaken());
    }
    assertThrows(InvalidInputException.class, () -> new CheckedBackend(device, device, 0, new Everything()));
  }

  @Test
  void backendThatShowsNoInsideIsRefused() {
    try (Backend silent = new HiddenWeightBackend(0, 0, TrainingSession.class);
        CheckedBackend checked = new CheckedBackend(silent, new ReferenceBackend(), 1, new Everything())) {
      String message =
          assertThrows(InvalidInputException.class, () -> checked.open(NETWORK, TRAINING, 1)).getMessage();
      assertEquals("device cpu does not show the inside of a step, which this check needs", message);
    }
  }

  @Test
  void referenceGetsTheRowsAsSinglePrecisionHasThem() {
    Dataset rounded = StepRows.rounded(DATA, Precision.FP32);
    assertEquals((float) DATA.feature(3, 1), rounded.feature(3, 1));
    assertEquals((float) DATA.target(3, 1), rounded.target(3, 1));
    assertFalse(DATA.feature(3, 1) == rounded.feature(3, 1));
    assertEquals(DATA, StepRows.rounded(DATA, Precision.FP64));
  }

  private static CheckFailedException failure(FaultyBackend.Fault fault, int every) {
    return assertThrows(CheckFailedException.class,
        () -> check(new FaultyBackend(fault), every, new CheckLog(CheckMode.FAIL, line -> { })));
  }

  private static void check(Backend device, int every, CheckListener listener) {
    try (CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), every, listener)) {
      run(checked, StepChunk.of(STEPS).learningRate(0.01).build());
    }
  }

  private static void run(CheckedBackend checked, StepChunk chunk) {
    run(checked, TRAINING, chunk);
  }

  private static void run(CheckedBackend checked, TrainingSpec training, StepChunk chunk) {
    try (TrainingSession session = checked.open(NETWORK, training, REPLICAS)) {
      start(session);
      session.run(chunk);
      session.sync();
    }
  }

  private static void start(TrainingSession session) {
    for (int replica = 0; replica < session.replicas(); replica++) {
      session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(NETWORK, new NumpyRandom(SEED + replica)));
    }
    session.bind(DATA);
  }
}
