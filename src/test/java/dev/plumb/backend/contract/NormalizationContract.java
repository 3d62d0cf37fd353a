package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Networks with normalization and residual connections train as in the reference, and their running statistics are state. */
interface NormalizationContract extends Contract {
  /** The first hidden layer has as many units as inputs, so its residual connection adds X. */
  NetworkSpec RESIDUAL = NetworkSpec.of(Activation.TANH, 7, 7, 13, 13, 2).withResidual(true);

  /** Returns whether the backend trains such networks in this precision and with this planner; otherwise it must refuse them. */
  default boolean normalizes() {
    return true;
  }

  private boolean isRefused(NetworkSpec network) {
    assertEquals(normalizes(), backend().refusal(network, sgd(), 1).isEmpty(), network.toString());
    return !normalizes();
  }

  /** Scales, shifts and running statistics other than the initial ones, so that each has an effect. */
  private double[] startOf(NetworkSpec network, long seed) {
    double[] parameters = weights(network, seed);
    NumpyRandom random = new NumpyRandom(seed + 1);
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      switch (slice.kind()) {
        case SCALE, RUNNING_VARIANCE -> random.uniform(0.5, 1.5, parameters, slice.offset(), slice.size());
        case SHIFT, RUNNING_MEAN -> random.uniform(-0.5, 0.5, parameters, slice.offset(), slice.size());
        case WEIGHT, BIAS -> { }
      }
    }
    return parameters;
  }

  @ParameterizedTest
  @CsvSource({
    "BATCH, false, 3-7-2-2, 13, 0, SGD", "BATCH, true, 7-7-13-13-2, 33, 0.3, ADAM", "LAYER, false, 3-7-2-2, 13, 0, SGD",
    "LAYER, true, 7-7-13-13-2, 33, 0.3, ADAM", "NONE, true, 7-7-13-13-2, 33, 0.3, SGD", "NONE, true, 3-7-7-7-1, 2, 0, ADAM",
    "BATCH, true, 3-33-33-2, 2, 0, SGD", "LAYER, true, 3-33-33-2, 1, 0, SGD", "BATCH, false, 2-65-1-31-3, 129, 0, SGD",
    "LAYER, false, 2-65-3-31-3, 129, 0, SGD", "BATCH, true, 1-129-129-1, 257, 0.1, SGD", "LAYER, true, 1-129-129-1, 257, 0.1, SGD",
  })
  default void stepsAreTheReferences(
      Normalization normalization, boolean residual, String shape, int rows, double dropout, OptimizerSpec.Kind kind) {
    int[] widths = Arrays.stream(shape.split("-")).mapToInt(Integer::parseInt).toArray();
    NetworkSpec network = NetworkSpec.of(Activation.SILU, widths).withNormalization(normalization).withResidual(residual);
    if (isRefused(network)) {
      return;
    }
    OptimizerSpec optimizer = kind == OptimizerSpec.Kind.SGD
        ? new OptimizerSpec.Sgd(0.9, false, 0.01) : new OptimizerSpec.Adam(0.9, 0.99, 1e-2, 0.01, true);
    TrainingSpec training = training(Loss.MSE, optimizer).withClipNorm(0.5);
    if (dropout > 0) {
      training = training.withDropout(new Dropout(dropout, SEED));
    }
    Dataset data = data(network, Loss.MSE, rows).withWeights(RandomWeights.draw(rows, new NumpyRandom(SEED)));
    try (ReferenceBackend reference = new ReferenceBackend();
        TrainingSession here = backend().open(network, training, 1);
        TrainingSession there = reference.open(network, training.withPrecision(Precision.FP64), 1)) {
      for (TrainingSession session : new TrainingSession[] {here, there}) {
        session.write(Slot.PARAMETERS, 0, startOf(network, SEED));
        session.bind(data);
        session.run(StepChunk.of(3).learningRate(0.01).recordAll().build());
      }
      double tolerance = 100 * rounding();
      StepMetrics metrics = here.sync();
      StepMetrics expected = there.sync();
      assertRelativeToLargest("losses", flat(expected.loss()), flat(metrics.loss()), tolerance);
      assertRelativeToLargest("norms", expected.gradientNorms()[2][0], metrics.gradientNorms()[2][0], tolerance);
      for (int layer = 0; layer < network.layerCount(); layer++) {
        for (Tap where : Tap.of(network.layer(layer))) {
          assertRelativeToLargest(where + " of layer " + layer, tap((Tapped) there, network, where, layer, 0, rows),
              tap((Tapped) here, network, where, layer, 0, rows), where == Tap.DELTA ? 10 * tolerance : tolerance);
        }
      }
      double[] gradients = read(there, Slot.GRADIENTS, 0);
      double largest = Arrays.stream(gradients).map(Math::abs).max().orElseThrow();
      for (Slot slot : Slot.stateOf(optimizer)) {
        double[] vector = read(there, slot, 0);
        double bound = slot == Slot.PARAMETERS ? 0 : Arrays.stream(vector).map(Math::abs).max().orElseThrow();
        assertSlices(slot + " ", network, vector, read(here, slot, 0), bound, tolerance);
      }
      // The gradient of a bias before a batch normalization, and so its moments, are 0 except for rounding.
      assertSlices("gradient of ", network, gradients, read(here, Slot.GRADIENTS, 0), largest, tolerance);
      assertRelativeToLargest("evaluation", there.evaluate(data).loss(), here.evaluate(data).loss(), tolerance);
      assertRelativeToLargest("outputs", outputs(there, network, data), outputs(here, network, data), tolerance);
    }
  }

  private static void assertSlices(
      String what, NetworkSpec network, double[] expected, double[] actual, double largest, double tolerance) {
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      double[] part = part(expected, slice);
      double size = Math.max(largest, Arrays.stream(part).map(Math::abs).max().orElseThrow());
      for (int i = 0; i < part.length; i++) {
        double error = Math.abs(part[i] - actual[slice.offset() + i]);
        assertTrue(error <= tolerance * size, what + slice.name() + slice.place(i) + ": expected " + part[i] + ", got "
            + actual[slice.offset() + i]);
      }
    }
  }

  private static double[] part(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }

  private static double[] outputs(TrainingSession session, NetworkSpec network, Dataset data) {
    double[] out = new double[data.rows() * network.outputs()];
    session.predict(0, data, out);
    return out;
  }

  @Test
  default void runningStatisticsFollowTheBatches() {
    NetworkSpec network = NETWORK.withNormalization(Normalization.BATCH);
    if (isRefused(network)) {
      return;
    }
    Dataset data = data(network, Loss.MSE, 13);
    int[][] batches = {{0, 1, 2, 3, 4}, {12, 7, 9}};
    try (TrainingSession session = started(network, sgd(), data)) {
      ParameterLayout layout = session.layout();
      double[] mean = new double[7];
      double[] variance = new double[7];
      Arrays.fill(variance, 1);
      for (int[] batch : batches) {
        session.run(StepChunk.of(1).learningRate(0).batches(new int[][] {batch}).build());
        double[] z = tap((Tapped) session, network, Tap.PRE, 0, 0, batch.length);
        for (int unit = 0; unit < 7; unit++) {
          int u = unit;
          double batchMean = IntStream.range(0, batch.length).mapToDouble(i -> z[i * 7 + u]).sum() / batch.length;
          double squares = IntStream.range(0, batch.length).mapToDouble(i -> Math.pow(z[i * 7 + u] - batchMean, 2)).sum();
          mean[unit] = 0.9 * mean[unit] + 0.1 * batchMean;
          variance[unit] = 0.9 * variance[unit] + 0.1 * squares / (batch.length - 1);
        }
        double[] parameters = read(session, Slot.PARAMETERS, 0);
        assertRelativeToLargest("running mean", mean, part(parameters, layout.slice(Kind.RUNNING_MEAN, 0)), 10 * rounding());
        assertRelativeToLargest(
            "running variance", variance, part(parameters, layout.slice(Kind.RUNNING_VARIANCE, 0)), 10 * rounding());
      }
    }
  }

  /** Outputs of a row do not depend on the other rows, and change nothing; those of the last step are normalized by its batch. */
  @ParameterizedTest
  @CsvSource({"BATCH", "LAYER", "NONE"})
  default void inferenceUsesNoStatisticsOfItsRows(Normalization normalization) {
    NetworkSpec network = RESIDUAL.withNormalization(normalization);
    if (isRefused(network)) {
      return;
    }
    Dataset data = data(network, Loss.MSE, 13);
    try (TrainingSession session = started(network, sgd(), data)) {
      session.write(Slot.PARAMETERS, 0, startOf(network, SEED));
      double[] before = read(session, Slot.PARAMETERS, 0);
      double[] all = outputs(session, network, data);
      double[] one = outputs(session, network, pick(data, new int[] {11}));
      assertRelativeToLargest("outputs of one row", Arrays.copyOfRange(all, 22, 24), one, 10 * rounding());
      session.evaluate(data);
      assertSameBits("parameters", before, read(session, Slot.PARAMETERS, 0));
      session.run(StepChunk.of(1).learningRate(0).build());
      double[] step = tap((Tapped) session, network, Tap.PRE, network.layerCount() - 1, 0, 13);
      assertEquals(normalization != Normalization.BATCH, IntStream.range(0, 26).allMatch(i -> Math.abs(step[i] - all[i]) < 0.01));
    }
  }

  @ParameterizedTest
  @CsvSource({"BATCH", "LAYER", "NONE"})
  default void trainingResumesBitForBit(Normalization normalization) {
    NetworkSpec network = RESIDUAL.withNormalization(normalization);
    if (isRefused(network)) {
      return;
    }
    TrainingSpec training = training(Loss.MSE, OptimizerSpec.Adam.DEFAULT);
    Dataset data = data(network, Loss.MSE, 13);
    StepChunk chunk = StepChunk.of(3).learningRate(0.01).recordAll().build();
    try (TrainingSession whole = started(network, training, data); TrainingSession resumed = session(network, training, 1)) {
      whole.run(chunk);
      for (Slot slot : Slot.stateOf(training.optimizer())) {
        resumed.write(slot, 0, read(whole, slot, 0));
        assertSameBits(slot.name(), read(whole, slot, 0), read(resumed, slot, 0));
      }
      resumed.stepsTaken(whole.stepsTaken());
      resumed.bind(data);
      whole.sync();
      whole.run(chunk);
      resumed.run(chunk);
      assertSameBits("losses", flat(whole.sync().loss()), flat(resumed.sync().loss()));
      assertSameBits("parameters", read(whole, Slot.PARAMETERS, 0), read(resumed, Slot.PARAMETERS, 0));
      assertSameBits("evaluation", whole.evaluate(data).loss(), resumed.evaluate(data).loss());
    }
  }

  @ParameterizedTest
  @CsvSource({"BATCH", "LAYER", "NONE"})
  default void replicasHaveTheirOwnStatistics(Normalization normalization) {
    NetworkSpec network = RESIDUAL.withNormalization(normalization);
    if (isRefused(network)) {
      return;
    }
    Dataset data = data(network, Loss.MSE, 13);
    int[][][] batches = {{{0, 1, 2, 3}, {5, 6, 7, 8}, {12, 11, 10, 9}}, {{4, 2, 0, 1}, {3, 6, 1, 8}, {7, 11, 10, 0}}};
    // The gradient of a bias before a batch normalization is only rounding, of which Adam with a small epsilon makes whole steps.
    TrainingSpec training = training(Loss.MSE, new OptimizerSpec.Adam(0.9, 0.99, 1e-2, 0.01, true));
    try (TrainingSession together = session(network, training, 3)) {
      for (int replica = 0; replica < 3; replica++) {
        together.write(Slot.PARAMETERS, replica, startOf(network, SEED + replica));
      }
      together.bind(data);
      together.run(StepChunk.of(2).learningRate(0.01).replicaBatches(batches).recordAll().build());
      double[][] losses = together.sync().loss();
      for (int replica = 0; replica < 3; replica++) {
        int k = replica;
        try (TrainingSession alone = session(network, training, 1)) {
          alone.write(Slot.PARAMETERS, 0, startOf(network, SEED + replica));
          alone.bind(data);
          alone.run(StepChunk.of(2).learningRate(0.01).recordAll()
              .batches(Arrays.stream(batches).map(step -> step[k]).toArray(int[][]::new)).build());
          assertAsAlone(network, "losses of replica " + k, flat(alone.sync().loss()),
              Arrays.stream(losses).mapToDouble(step -> step[k]).toArray());
          assertAsAlone(network, "parameters of replica " + k, read(alone, Slot.PARAMETERS, 0), read(together, Slot.PARAMETERS, k));
          assertAsAlone(network, "evaluation of replica " + k, alone.evaluate(data).loss(),
              new double[] {together.evaluate(data).loss()[k]});
        }
      }
    }
  }

  @Test
  default void batchNormalizationRefusesBatchesOfOneRow() {
    NetworkSpec network = NETWORK.withNormalization(Normalization.BATCH);
    if (isRefused(network)) {
      return;
    }
    Dataset data = data(network, Loss.MSE, 5);
    try (TrainingSession session = started(network, sgd(), data)) {
      StepChunk chunk = StepChunk.of(2).learningRate(0.1).batches(new int[][] {{0, 1, 2, 3}, {4}}).build();
      double[] before = read(session, Slot.PARAMETERS, 0);
      InvalidInputException refusal = assertThrows(InvalidInputException.class, () -> session.run(chunk));
      assertTrue(refusal.getMessage().contains("needs at least 2 rows per batch"), refusal.getMessage());
      assertEquals(0, session.stepsTaken());
      assertSameBits("parameters", before, read(session, Slot.PARAMETERS, 0));
      double[] one = outputs(session, network, pick(data, new int[] {4}));
      assertTrue(Arrays.stream(one).allMatch(Double::isFinite));
    }
    try (TrainingSession session = started(NETWORK.withNormalization(Normalization.LAYER), sgd(), data)) {
      session.run(StepChunk.of(1).learningRate(0.1).batches(new int[][] {{4}}).recordAll().build());
      assertTrue(Double.isFinite(session.sync().loss()[0][0]));
    }
  }

  @Test
  default void plainLayersHaveNoNormalizedValues() {
    Dataset data = data(NETWORK, Loss.MSE, 5);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      session.run(StepChunk.of(1).learningRate(0).build());
      session.sync();
      assertThrows(IllegalArgumentException.class, () -> tap((Tapped) session, NETWORK, Tap.NORMALIZED, 0, 0, 5));
    }
  }

  /** Sums of squares beyond the range of the precision make the statistics infinite or NaN, and the step is reported. */
  @ParameterizedTest
  @CsvSource({"BATCH", "LAYER"})
  default void overflowIsReported(Normalization normalization) {
    NetworkSpec network = RESIDUAL.withNormalization(normalization);
    if (isRefused(network)) {
      return;
    }
    Dataset data = data(network, Loss.MSE, 13);
    try (TrainingSession session = started(network, sgd(), data)) {
      session.run(StepChunk.of(1).learningRate(0.01).build());
      assertEquals(-1, session.sync().firstNonFinite()[0]);
      double[] parameters = startOf(network, SEED);
      ParameterLayout.Slice weight = session.layout().weight(0);
      Arrays.setAll(parameters, i -> i < weight.size() ? Double.MAX_VALUE * Math.signum(parameters[i]) : parameters[i]);
      session.write(Slot.PARAMETERS, 0, parameters);
      session.run(StepChunk.of(2).learningRate(0.01).build());
      assertEquals(1, session.sync().firstNonFinite()[0]);
    }
  }
}
