package dev.plumb.check;

import static dev.plumb.check.CheckedTraining.DATA;
import static dev.plumb.check.CheckedTraining.NETWORK;
import static dev.plumb.check.CheckedTraining.REPLICAS;
import static dev.plumb.check.CheckedTraining.SEED;
import static dev.plumb.check.CheckedTraining.STEPS;
import static dev.plumb.check.CheckedTraining.TRAINING;
import static dev.plumb.check.CheckedTraining.check;
import static dev.plumb.check.CheckedTraining.run;
import static dev.plumb.check.CheckedTraining.start;
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
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
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
  // Faults and their names

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
    RecordedChecks exact = new RecordedChecks();
    check(new FaultyBackend(null), 1, exact);
    TensorCheck tensor = exact.tensors.stream()
        .filter(check -> check.tensor().quantity() == quantity && check.tensor().layer() > 0).findFirst().orElseThrow();
    int index = tensor.tensor().slice().map(ParameterLayout.Slice::offset).orElse(0);
    for (double factor : new double[] {0.9, 1.1}) {
      double change = factor * tensor.allowed();
      FaultyBackend.Fault fault = new FaultyBackend.Fault(
          quantity, tensor.tensor().layer(), 0, index, 0, value -> value + change);
      if (factor < 1) {
        RecordedChecks near = new RecordedChecks();
        check(new FaultyBackend(fault), STEPS, near);
        assertEquals(TensorCheck.Verdict.OK, near.first(tensor.tensor().name()).verdict());
        assertEquals(factor, near.first(tensor.tensor().name()).units(), 0.05);
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
    RecordedChecks found = new RecordedChecks();
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
    RecordedChecks found = new RecordedChecks();
    TrainingSpec training = TRAINING.withPrecision(precision).withDropout(new Dropout(0.4, SEED));
    CpuOptions options = CpuOptions.standard().withMethod(method);
    try (CheckedBackend checked = new CheckedBackend(new CpuBackend(options, note -> { }), new ReferenceBackend(), 3, found)) {
      run(checked, training, StepChunk.of(STEPS).learningRate(0.01).build());
    }
    assertEquals(List.of(0L, 3L, 6L), found.steps);
    assertTrue(found.tensors.stream().allMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.OK), found.tensors.toString());
  }

  @ParameterizedTest
  @CsvSource({"ROWS, FP64", "PRODUCTS, FP64", "ROWS, FP32", "PRODUCTS, FP32"})
  void stepsOfWeightedRowsAgreeWithTheReference(CpuOptions.Method method, Precision precision) {
    RecordedChecks found = new RecordedChecks();
    CpuOptions options = CpuOptions.standard().withMethod(method);
    try (CheckedBackend checked = new CheckedBackend(new CpuBackend(options, note -> { }), new ReferenceBackend(), 3, found)) {
      runWeighted(checked, TRAINING.withPrecision(precision));
    }
    assertEquals(List.of(0L, 3L, 6L), found.steps);
    assertTrue(found.tensors.stream().allMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.OK), found.tensors.toString());
  }

  @Test
  void ignoredWeightsAreFoundWhereTheyAreUsed() {
    RecordedChecks found = new RecordedChecks();
    try (CheckedBackend checked = new CheckedBackend(new UnweightedBackend(), new ReferenceBackend(), 1, found)) {
      runWeighted(checked, TRAINING);
    }
    TensorCheck first =
        found.tensors.stream().filter(tensor -> tensor.verdict() == TensorCheck.Verdict.WRONG).findFirst().orElseThrow();
    assertEquals("layers.2.delta", first.tensor().name());
    assertEquals(TensorCheck.Verdict.WRONG, found.first("loss").verdict());
  }

  private static void runWeighted(CheckedBackend checked, TrainingSpec training) {
    try (TrainingSession session = checked.open(NETWORK, training, REPLICAS)) {
      start(session);
      NumpyRandom stream = new NumpyRandom(SEED);
      session.bind(DATA.withWeights(RandomWeights.draw(DATA.rows(), stream)));
      session.run(StepChunk.of(STEPS).learningRate(0.01).build());
      session.sync();
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
    List<ErrorHistogram.Row> rows = log.errors().rows();
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
    RecordedChecks found = new RecordedChecks();
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
    check(device, 5, new RecordedChecks());
    assertEquals(List.of(1, 4, 1, 2), device.chunks());
  }

  @Test
  void wrongChunkIsRefusedBeforeAnyOfItRuns() {
    FaultyBackend device = new FaultyBackend(null);
    try (CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), 1, new RecordedChecks());
        TrainingSession session = checked.open(NETWORK, TRAINING, 1)) {
      assertThrows(IllegalStateException.class, () -> session.run(StepChunk.of(1).learningRate(0).build()));
      session.bind(DATA);
      StepChunk wrong = StepChunk.of(2).learningRate(0.01).batches(new int[][] {{1}, {13}}).build();
      assertThrows(IllegalArgumentException.class, () -> session.run(wrong));
      assertEquals(0, session.stepsTaken());
    }
    assertThrows(InvalidInputException.class, () -> new CheckedBackend(device, device, 0, new RecordedChecks()));
  }

  @Test
  void backendThatShowsNoInsideIsRefused() {
    try (Backend silent = new HiddenWeightBackend(0, 0, TrainingSession.class);
        CheckedBackend checked = new CheckedBackend(silent, new ReferenceBackend(), 1, new RecordedChecks())) {
      String message =
          assertThrows(InvalidInputException.class, () -> checked.open(NETWORK, TRAINING, 1)).getMessage();
      assertEquals("device cpu does not expose the values inside a step, which this check needs", message);
    }
  }

  @Test
  void referenceGetsTheRowsAsSinglePrecisionHasThem() {
    Dataset rounded = StepRows.rounded(DATA, Precision.FP32);
    assertEquals((float) DATA.feature(3, 1), rounded.feature(3, 1));
    assertEquals((float) DATA.target(3, 1), rounded.target(3, 1));
    assertFalse(DATA.feature(3, 1) == rounded.feature(3, 1));
    assertEquals(DATA, StepRows.rounded(DATA, Precision.FP64));
    assertFalse(rounded.hasWeights());
    double[] weights = new double[DATA.rows()];
    Arrays.fill(weights, 0.1);
    weights[4] = Dataset.MIN_WEIGHT;
    Dataset weighted = StepRows.rounded(DATA.withWeights(weights), Precision.FP32);
    assertEquals(0.1f, weighted.weight(3));
    assertEquals(Dataset.MIN_WEIGHT, weighted.weight(4));
    assertEquals((float) DATA.feature(3, 1), weighted.feature(3, 1));
  }

  private static CheckFailedException failure(FaultyBackend.Fault fault, int every) {
    return assertThrows(CheckFailedException.class,
        () -> check(new FaultyBackend(fault), every, new CheckLog(CheckMode.FAIL, line -> { })));
  }
}
