package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Evaluation;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests of the weights of rows: the loss of a batch is Σ weight·loss / Σ weight. */
interface WeightsContract extends Contract {
  int ROWS = 67;
  int REPLICAS = 3;
  /** A step over all rows, one over a shared batch, and two over a batch per replica, whose sums of weights differ. */
  int[][][] MIXED_BATCHES = {
    {null}, {{66, 3, 3, 40, 7}}, {{0, 1, 2, 3, 4, 5, 6}, {9, 8, 7, 6, 5, 4, 66}, {33, 32, 31, 30, 1, 1, 0}},
    {{10, 11}, {64, 65}, {20, 20}},
  };

  @ParameterizedTest
  @EnumSource(Loss.class)
  default void weightsOfOneGiveTheSameBitsAsNone(Loss loss) {
    Dataset none = data(NETWORK, loss, ROWS);
    double[] ones = new double[ROWS];
    Arrays.fill(ones, 1);
    Dataset weighted = none.withWeights(ones);
    TrainingSpec training = training(loss, OptimizerSpec.Adam.DEFAULT).withClipNorm(0.5);
    try (TrainingSession expected = mixed(training, none); TrainingSession actual = mixed(training, weighted)) {
      StepMetrics expectedMetrics = expected.sync();
      StepMetrics metrics = actual.sync();
      assertSameBits("losses", flat(expectedMetrics.loss()), flat(metrics.loss()));
      Evaluation expectedEvaluation = expected.evaluate(none);
      Evaluation evaluation = actual.evaluate(weighted);
      assertSameBits("evaluation", expectedEvaluation.loss(), evaluation.loss());
      assertArrayEquals(expectedEvaluation.correct(), evaluation.correct());
      for (int replica = 0; replica < REPLICAS; replica++) {
        for (Slot slot : Slot.values()) {
          assertSameBits(slot + " of replica " + replica, read(expected, slot, replica), read(actual, slot, replica));
        }
        for (int layer = 0; layer < NETWORK.layerCount(); layer++) {
          assertSameBits("delta of layer " + layer + ", replica " + replica,
              tap((Tapped) expected, NETWORK, Tap.DELTA, layer, replica, 2),
              tap((Tapped) actual, NETWORK, Tap.DELTA, layer, replica, 2));
        }
      }
    }
  }

  /** Returns a session of several replicas after steps over {@link #MIXED_BATCHES}. */
  private TrainingSession mixed(TrainingSpec training, Dataset data) {
    TrainingSession session = session(NETWORK, training, REPLICAS);
    for (int replica = 0; replica < REPLICAS; replica++) {
      session.write(Slot.PARAMETERS, replica, weights(NETWORK, SEED + replica));
    }
    session.bind(data);
    session.run(StepChunk.of(MIXED_BATCHES.length).learningRate(0.01).replicaBatches(MIXED_BATCHES).recordAll().build());
    return session;
  }

  /** A factor that is a power of two changes no digit of any sum. The factors are as large as weights may be. */
  @ParameterizedTest
  @EnumSource(Loss.class)
  default void onlyRatiosOfWeightsMatter(Loss loss) {
    Dataset data = data(NETWORK, loss, ROWS);
    double[] weights = rowWeights(ROWS);
    TrainingSpec training = training(loss, OptimizerSpec.Sgd.DEFAULT);
    try (TrainingSession expected = mixed(training, data.withWeights(weights))) {
      double[] losses = flat(expected.sync().loss());
      for (double factor : new double[] {0x1p-60, 0x1p60}) {
        Dataset scaled = data.withWeights(Arrays.stream(weights).map(weight -> factor * weight).toArray());
        try (TrainingSession actual = mixed(training, scaled)) {
          assertSameBits("losses", losses, flat(actual.sync().loss()));
          for (int replica = 0; replica < REPLICAS; replica++) {
            assertSameBits("parameters", read(expected, Slot.PARAMETERS, replica), read(actual, Slot.PARAMETERS, replica));
          }
          assertSameBits("evaluation", expected.evaluate(data.withWeights(weights)).loss(), actual.evaluate(scaled).loss());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  default void wholeWeightsAreRepeatedRows(Loss loss) {
    Dataset data = data(NETWORK, loss, 13);
    int[] repeated = {0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 6, 7, 8, 8, 8, 8, 8, 9, 10, 11, 12, 12};
    double[] weights = new double[13];
    for (int row : repeated) {
      weights[row]++;
    }
    try (TrainingSession expected = started(NETWORK, training(loss, OptimizerSpec.Sgd.DEFAULT), data);
        TrainingSession actual = started(NETWORK, training(loss, OptimizerSpec.Sgd.DEFAULT), data.withWeights(weights))) {
      expected.run(StepChunk.of(1).learningRate(0.1).batches(new int[][] {repeated}).recordAll().build());
      actual.run(StepChunk.of(1).learningRate(0.1).recordAll().build());
      assertRelativeToLargest("loss", expected.sync().loss()[0], actual.sync().loss()[0], 5 * rounding());
      assertRelativeToLargest("gradients", read(expected, Slot.GRADIENTS, 0), read(actual, Slot.GRADIENTS, 0), 20 * rounding());
    }
  }

  @ParameterizedTest(name = "{0}, {1}-{2}-{3}, batch {4} of {5} rows")
  @CsvSource({
    "MSE, 1, 1, 1, 1, 2", "MSE, 3, 8, 1, 400, 400", "MSE, 3, 8, 1, 33, 65", "MSE, 7, 33, 3, 129, 255", "MSE, 2, 13, 127, 31, 63",
    "MAE, 3, 7, 2, 63, 63", "MAE, 3, 65, 1, 255, 1000", "HUBER, 2, 8, 4, 127, 127", "HUBER, 5, 31, 33, 65, 129",
    "CROSS_ENTROPY, 3, 8, 3, 1000, 1000", "CROSS_ENTROPY, 3, 8, 2, 31, 127", "CROSS_ENTROPY, 13, 63, 65, 33, 129",
    "CROSS_ENTROPY, 2, 3, 1, 7, 13", "CROSS_ENTROPY, 3, 7, 255, 13, 13", "BINARY_CROSS_ENTROPY, 3, 8, 1, 129, 129",
    "BINARY_CROSS_ENTROPY, 3, 33, 7, 255, 256",
  })
  default void weightedStepIsThatOfTheReference(Loss loss, int inputs, int hidden, int outputs, int batch, int rows) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, inputs, hidden, outputs);
    Dataset data = rounded(data(network, loss, rows).withWeights(rowWeights(rows)));
    int[] batchRows = batch == rows ? null : Arrays.copyOf(new NumpyRandom(SEED).permutation(rows), batch);
    StepChunk chunk = StepChunk.of(1).learningRate(0).batches(new int[][] {batchRows}).recordAll().build();
    TrainingSpec training = training(loss, OptimizerSpec.Sgd.DEFAULT);
    try (Backend reference = new ReferenceBackend();
        TrainingSession expected = reference.open(network, training, 1);
        TrainingSession actual = session(network, training, 1)) {
      for (TrainingSession session : new TrainingSession[] {expected, actual}) {
        session.write(Slot.PARAMETERS, 0, rounded(weights(network, SEED)));
        session.bind(data);
        session.run(chunk);
      }
      double tolerance = 20 * rounding();
      assertRelativeToLargest("loss", expected.sync().loss()[0], actual.sync().loss()[0], tolerance);
      int last = network.layerCount() - 1;
      assertRelativeToLargest("delta", tap((Tapped) expected, network, Tap.DELTA, last, 0, batch),
          tap((Tapped) actual, network, Tap.DELTA, last, 0, batch), tolerance);
      assertRelativeToLargest("gradients", read(expected, Slot.GRADIENTS, 0), read(actual, Slot.GRADIENTS, 0), tolerance);
      assertRelativeToLargest("evaluation", expected.evaluate(data).loss(), actual.evaluate(data).loss(), tolerance);
    }
  }

  /** The losses and the derivatives of single rows without weights, weighted here. */
  @ParameterizedTest
  @EnumSource(Loss.class)
  default void lossAndDeltaAreWeightedMeansOfThoseOfTheRows(Loss loss) {
    double[] weights = rowWeights(13);
    Dataset data = data(NETWORK, loss, 13);
    TrainingSpec training = training(loss, OptimizerSpec.Sgd.DEFAULT);
    int last = NETWORK.layerCount() - 1;
    try (TrainingSession rowByRow = started(NETWORK, training, data);
        TrainingSession weighted = started(NETWORK, training, data.withWeights(weights))) {
      int[][] rows = IntStream.range(0, 13).mapToObj(row -> new int[] {row}).toArray(int[][]::new);
      double sum = Arrays.stream(weights).sum();
      double expectedLoss = 0;
      double[] expectedDelta = new double[13 * NETWORK.outputs()];
      for (int row = 0; row < 13; row++) {
        rowByRow.run(StepChunk.of(1).learningRate(0).batches(new int[][] {rows[row]}).recordAll().build());
        expectedLoss += weights[row] / sum * rowByRow.sync().loss()[0][0];
        double[] delta = tap((Tapped) rowByRow, Tap.DELTA, last, 1);
        for (int j = 0; j < delta.length; j++) {
          expectedDelta[row * delta.length + j] = weights[row] / sum * delta[j];
        }
      }
      weighted.run(StepChunk.of(1).learningRate(0).recordAll().build());
      assertRelativeToLargest("loss", new double[] {expectedLoss}, weighted.sync().loss()[0], 5 * rounding());
      assertRelativeToLargest("delta", expectedDelta, tap((Tapped) weighted, Tap.DELTA, last, 13), 5 * rounding());
    }
  }

  @Test
  default void weightedReplicaEqualsTheSameNetworkTrainedSeparately() {
    Dataset data = data(NETWORK, Loss.CROSS_ENTROPY, ROWS).withWeights(rowWeights(ROWS));
    TrainingSpec training = training(Loss.CROSS_ENTROPY, OptimizerSpec.Adam.DEFAULT);
    try (TrainingSession together = mixed(training, data)) {
      StepMetrics metrics = together.sync();
      for (int replica = 0; replica < REPLICAS; replica++) {
        try (TrainingSession alone = session(NETWORK, training, 1)) {
          alone.write(Slot.PARAMETERS, 0, weights(NETWORK, SEED + replica));
          alone.bind(data);
          int[][] batches = new int[MIXED_BATCHES.length][];
          for (int step = 0; step < batches.length; step++) {
            batches[step] = MIXED_BATCHES[step][MIXED_BATCHES[step].length == 1 ? 0 : replica];
          }
          alone.run(StepChunk.of(batches.length).learningRate(0.01).batches(batches).recordAll().build());
          StepMetrics ownMetrics = alone.sync();
          for (int step = 0; step < batches.length; step++) {
            assertAsAlone("loss of step " + step + ", replica " + replica, ownMetrics.loss()[step],
                new double[] {metrics.loss()[step][replica]});
          }
          for (Slot slot : Slot.values()) {
            assertAsAlone(slot + " of replica " + replica, read(alone, slot, 0), read(together, slot, replica));
          }
          assertAsAlone("evaluation of replica " + replica, alone.evaluate(data).loss(),
              new double[] {together.evaluate(data).loss()[replica]});
        }
      }
    }
  }

  /** More rows than a backend evaluates at once. */
  @ParameterizedTest
  @EnumSource(Loss.class)
  default void evaluationIsTheWeightedMeanOfParts(Loss loss) {
    int rows = 1100;
    Dataset data = data(NETWORK, loss, rows);
    double[] weights = rowWeights(rows);
    try (TrainingSession session = started(NETWORK, training(loss, OptimizerSpec.Sgd.DEFAULT), data)) {
      Evaluation evaluation = session.evaluate(data.withWeights(weights));
      Evaluation unweighted = session.evaluate(data);
      assertArrayEquals(unweighted.correct(), evaluation.correct());
      // The weights 1 and 3, in turn: the mean of the loss over all rows and, twice, over every second row.
      Arrays.setAll(weights, row -> 1 + row % 2 * 2);
      double[] alternating = session.evaluate(data.withWeights(weights)).loss();
      Arrays.setAll(weights, row -> row % 2 == 0 ? 1e-12 : 1);
      double[] odd = session.evaluate(data.withWeights(weights)).loss();
      double expected = (unweighted.loss()[0] + odd[0]) / 2;
      assertRelativeToLargest("loss", new double[] {expected}, alternating, 5 * rounding() + 1e-11);
      assertTrue(Math.abs(evaluation.loss()[0] - unweighted.loss()[0]) > 1e-4, "the weights should change the loss");
    }
  }

  /** The same session with data without weights, then with, then without. */
  @Test
  default void weightsAreThoseOfTheBoundData() {
    Dataset none = data(NETWORK, Loss.MSE, 13);
    Dataset weighted = none.withWeights(rowWeights(13));
    StepChunk chunk = StepChunk.of(2).learningRate(0).batches(new int[][] {null, {1, 2, 3}}).recordAll().build();
    try (TrainingSession session = started(NETWORK, sgd(), none)) {
      session.run(chunk);
      double[] before = flat(session.sync().loss());
      assertRelativeToLargest("evaluation", new double[] {before[0]}, session.evaluate(none).loss(), 5 * rounding());
      session.bind(weighted);
      double[] evaluation = session.evaluate(weighted).loss();
      session.run(chunk);
      double[] during = flat(session.sync().loss());
      assertRelativeToLargest("weighted evaluation", new double[] {during[0]}, evaluation, 5 * rounding());
      assertTrue(Math.abs(during[0] - before[0]) > 1e-3 && Math.abs(during[1] - before[1]) > 1e-3, "the weights should matter");
      session.bind(none);
      session.run(chunk);
      assertSameBits("losses", before, flat(session.sync().loss()));
      assertEquals(6, session.stepsTaken());
    }
  }

  private static double[] rowWeights(int rows) {
    return RandomWeights.draw(rows, new NumpyRandom(SEED + 1));
  }

  /** Returns values that the session's precision holds exactly, so that the reference starts from the same ones. */
  private double[] rounded(double[] values) {
    return precision() == Precision.FP64 ? values : Arrays.stream(values).map(value -> (float) value).toArray();
  }

  private Dataset rounded(Dataset data) {
    double[] x = rounded(data.featureRows(0, data.rows()));
    double[] weights = new double[data.rows()];
    Arrays.setAll(weights, data::weight);
    Dataset rounded = data.hasClasses()
        ? Dataset.ofClasses(data.features(), data.outputs(), x, IntStream.range(0, data.rows()).map(data::label).toArray())
        : Dataset.ofTargets(data.features(), data.outputs(), x, rounded(data.targetRows(0, data.rows())));
    return rounded.withWeights(rounded(weights));
  }
}
