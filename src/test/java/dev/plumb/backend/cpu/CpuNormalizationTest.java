package dev.plumb.backend.cpu;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
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
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Normalizations and residual connections on the CPU, compared with the reference and with themselves. */
class CpuNormalizationTest {
  private static final long SEED = 20261127;
  private static final double LEARNING_RATE = 0.05;

  /** Widths with residual connections from the inputs, between hidden layers, both and none. */
  private static final List<int[]> WIDTHS = List.of(
      new int[] {3, 8, 8, 8, 1}, new int[] {7, 7, 13, 2}, new int[] {31, 31, 31, 33, 1}, new int[] {5, 2, 1, 1, 3},
      new int[] {13, 65, 65, 2}, new int[] {2, 2, 2});

  /** With epsilons that hide the rounding of gradients that are 0: those of biases before batch normalizations. */
  private static final List<OptimizerSpec> OPTIMIZERS = List.of(
      OptimizerSpec.Sgd.DEFAULT, new OptimizerSpec.Sgd(0.9, true, 0.01), new OptimizerSpec.Adam(0.9, 0.999, 0.1, 0.01, true),
      new OptimizerSpec.RmsProp(0.99, 0.1, 0));

  /** A network and its training. */
  private record Case(NetworkSpec network, TrainingSpec training) {}

  private static List<Case> cases(Precision precision) {
    List<Case> cases = new ArrayList<>();
    for (Normalization normalization : Normalization.values()) {
      for (int[] widths : WIDTHS) {
        for (boolean residual : new boolean[] {false, true}) {
          int number = cases.size();
          Activation activation = Activation.values()[number % Activation.values().length];
          OptimizerSpec optimizer = OPTIMIZERS.get(number % OPTIMIZERS.size());
          TrainingSpec training = TrainingSpec.of(Loss.MSE, optimizer, LEARNING_RATE, 1).withPrecision(precision);
          training = number % 3 == 1 ? training.withClipNorm(0.5) : training;
          training = number % 5 >= 3 ? training.withDropout(new Dropout(0.3, 7)) : training;
          cases.add(new Case(
              NetworkSpec.of(activation, widths).withNormalization(normalization).withResidual(residual), training));
        }
      }
    }
    return cases;
  }

  @ParameterizedTest
  @CsvSource({"ROWS, FP64", "ROWS, FP32", "PRODUCTS, FP64", "PRODUCTS, FP32", "JAVA_PRODUCTS, FP64", "JAVA_PRODUCTS, FP32"})
  void stepsAgreeWithTheReference(Method method, Precision precision) {
    for (Case one : cases(precision)) {
      Dataset data = RandomData.draw(33, one.network(), Loss.MSE, new NumpyRandom(SEED));
      assertAgree(method, one, data, new int[][] {null, null, {3, 32, 1, 0, 8, 9, 10}, {2, 3, 4, 5, 6, 7, 8, 9, 10}, null});
      assertAgree(method, one, data.withWeights(RandomWeights.draw(33, new NumpyRandom(SEED))), new int[][] {null});
    }
  }

  /** Deltas before a batch normalization of two samples are almost 0: only forward values and losses are compared. */
  @ParameterizedTest
  @CsvSource({"ROWS, FP64", "ROWS, FP32", "PRODUCTS, FP64", "PRODUCTS, FP32"})
  void smallestBatchesAgreeWithTheReference(Method method, Precision precision) {
    for (Case one : cases(precision)) {
      Dataset data = RandomData.draw(33, one.network(), Loss.MSE, new NumpyRandom(SEED));
      for (int[] batch : new int[][] {{5, 6}, {3, 30, 4}}) {
        try (TrainingSession expected = started(null, one, data);
            TrainingSession actual = started(new CpuOptions(1, method), one, data)) {
          StepChunk chunk = StepChunk.of(1).learningRate(LEARNING_RATE).batches(new int[][] {batch}).recordAll().build();
          expected.run(chunk);
          actual.run(chunk);
          String what = method + " " + one + " " + batch.length;
          double tolerance = precision == Precision.FP64 ? 1e-9 : 2e-2;
          assertRelativeToLargest(what, expected.sync().loss()[0], actual.sync().loss()[0], tolerance);
          assertTaps(what, one.network(), expected, actual, batch.length, tolerance, List.of(Tap.PRE, Tap.NORMALIZED, Tap.POST));
        }
      }
    }
  }

  private static void assertAgree(Method method, Case one, Dataset data, int[][] batches) {
    double tolerance = one.training().precision() == Precision.FP64 ? 1e-11 : 1e-4;
    try (TrainingSession expected = started(null, one, data);
        TrainingSession actual = started(new CpuOptions(1, method), one, data)) {
      // One step, then several of which only the last keeps what is read.
      for (int[][] chunk : new int[][][] {Arrays.copyOf(batches, 1), Arrays.copyOfRange(batches, 1, batches.length)}) {
        if (chunk.length > 0) {
          String what = method + " " + one + " " + chunk.length;
          StepChunk steps = StepChunk.of(chunk.length).learningRate(LEARNING_RATE).batches(chunk).recordAll().build();
          expected.run(steps);
          actual.run(steps);
          StepMetrics metrics = actual.sync();
          assertRelativeToLargest(what, flat(expected.sync().loss()), flat(metrics.loss()), tolerance);
          assertArrayEquals(new long[] {-1}, metrics.firstNonFinite(), what);
          int rows = chunk[chunk.length - 1] == null ? data.rows() : chunk[chunk.length - 1].length;
          assertTaps(what, one.network(), expected, actual, rows, tolerance, List.of(Tap.values()));
          for (Slot slot : List.of(Slot.GRADIENTS, Slot.PARAMETERS)) {
            assertRelativeToLargest(what + slot, read(expected, slot, 0), read(actual, slot, 0), tolerance);
          }
          for (ParameterLayout.Slice slice : ParameterLayout.of(one.network()).slices()) {
            int from = slice.offset();
            int to = from + slice.size();
            if (!slice.isBias()) {
              assertRelativeToLargest(what + " " + slice.name(), Arrays.copyOfRange(read(expected, Slot.PARAMETERS, 0), from, to),
                  Arrays.copyOfRange(read(actual, Slot.PARAMETERS, 0), from, to), 10 * tolerance);
            }
          }
          assertRelativeToLargest(what + " evaluation", expected.evaluate(data).loss(), actual.evaluate(data).loss(), tolerance);
          assertRelativeToLargest(what + " predictions", predict(expected, one, data), predict(actual, one, data), tolerance);
        }
      }
    }
  }

  private static void assertTaps(
      String what, NetworkSpec network, TrainingSession expected, TrainingSession actual, int rows, double tolerance,
      List<Tap> taps) {
    for (int layer = 0; layer < network.layerCount(); layer++) {
      for (Tap where : Tap.of(network.layer(layer))) {
        if (taps.contains(where)) {
          // Deltas before the layer normalization of one unit are 0: they are compared together with those of the last layer.
          List<Integer> layers = where == Tap.DELTA ? List.of(layer, network.layerCount() - 1) : List.of(layer);
          assertRelativeToLargest(what + " " + where + " " + layer, taps(expected, network, where, layers, rows),
              taps(actual, network, where, layers, rows), tolerance);
        }
      }
    }
  }

  private static double[] taps(TrainingSession session, NetworkSpec network, Tap where, List<Integer> layers, int rows) {
    return layers.stream().flatMapToDouble(layer -> {
      double[] out = new double[rows * network.layer(layer).out()];
      ((Tapped) session).tap(where, layer, 0, out);
      return Arrays.stream(out);
    }).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "ROWS, FP32, 7-7-5-5-2, 4", "ROWS, FP64, 7-7-5-5-2, 4", "PRODUCTS, FP64, 40-300-300-257-13, 1",
    "PRODUCTS, FP32, 300-300-300-13, 2", "PRODUCTS, FP32, 33-63-63-3, 5", "JAVA_PRODUCTS, FP32, 40-300-300-257-13, 2",
  })
  void threadsAndReplicasChangeNoBit(Method method, Precision precision, String widths, int replicas) {
    int[] units = Arrays.stream(widths.split("-")).mapToInt(Integer::parseInt).toArray();
    for (Normalization normalization : Normalization.values()) {
      NetworkSpec network = NetworkSpec.of(Activation.GELU, units).withNormalization(normalization).withResidual(true);
      TrainingSpec plain = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
      for (TrainingSpec training : List.of(plain, plain.withClipNorm(0.1).withDropout(new Dropout(0.3, 11)))) {
        Case one = new Case(network, training);
        double[][] alone = trained(new CpuOptions(1, method), one, replicas);
        for (int threads : new int[] {2, 5}) {
          double[][] shared = trained(new CpuOptions(threads, method), one, replicas);
          for (int replica = 0; replica < replicas; replica++) {
            assertSameBits(threads + " threads " + one, alone[replica], shared[replica]);
          }
        }
        if (training.dropout().isEmpty()) {
          assertSameBits("one replica " + one, trained(new CpuOptions(1, method), one, 1)[0], alone[0]);
        }
      }
    }
  }

  /** Parameters of each replica after four steps. */
  private static double[][] trained(CpuOptions options, Case one, int replicas) {
    Dataset data = RandomData.draw(77, one.network(), Loss.MSE, new NumpyRandom(SEED));
    double[][] result = new double[replicas][];
    try (TrainingSession session = CpuUnderTest.open(options).open(one.network(), one.training(), replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        session.write(Slot.PARAMETERS, replica, parameters(one.network(), SEED + replica));
      }
      session.bind(data);
      int[] some = {5, 3, 70, 9, 11, 0, 1, 2, 3};
      session.run(StepChunk.of(4).learningRate(0.01).batches(new int[][] {null, some, {7, 8}, null}).build());
      session.sync();
      for (int replica = 0; replica < replicas; replica++) {
        result[replica] = read(session, Slot.PARAMETERS, replica);
      }
    }
    return result;
  }

  @ParameterizedTest
  @EnumSource(Normalization.class)
  void inferenceAgreesWithSessionsAndDoesNotDependOnTheNumberOfRows(Normalization normalization) {
    for (int[] widths : WIDTHS) {
      NetworkSpec network = NetworkSpec.of(Activation.GELU, widths).withNormalization(normalization).withResidual(true);
      for (Precision precision : List.of(Precision.FP64, Precision.FP32)) {
        Case one = new Case(
            network, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, LEARNING_RATE, 1).withPrecision(precision));
        Dataset data = RandomData.draw(600, network, Loss.MSE, new NumpyRandom(SEED));
        try (TrainingSession session = started(new CpuOptions(1, Method.BY_SIZE), one, data)) {
          session.run(StepChunk.of(5).learningRate(LEARNING_RATE).build());
          session.sync();
          double[] all = new double[data.rows() * network.outputs()];
          try (InferenceSession inference = CpuInference.open(network, precision, read(session, Slot.PARAMETERS, 0))) {
            inference.outputs(data.featureRows(0, data.rows()), data.rows(), all);
            assertRelativeToLargest(
                network + " " + precision, predict(session, one, data), all, precision == Precision.FP64 ? 1e-13 : 1e-5);
            for (int row = 0; row < data.rows(); row += 13) {
              double[] alone = new double[network.outputs()];
              inference.outputs(data.featureRows(row, 1), 1, alone);
              int at = row * network.outputs();
              assertSameBits(network + " row " + row, Arrays.copyOfRange(all, at, at + alone.length), alone);
            }
          }
        }
      }
    }
  }

  /** In single precision, finite pre-activations whose variance is not. */
  @ParameterizedTest
  @CsvSource({"ROWS, LAYER", "ROWS, BATCH", "PRODUCTS, LAYER", "PRODUCTS, BATCH"})
  void overflowOfVariancesIsReported(Method method, Normalization normalization) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 9, 2).withNormalization(normalization);
    Case one = new Case(
        network, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(Precision.FP32));
    Dataset data = RandomData.draw(7, network, Loss.MSE, new NumpyRandom(SEED));
    try (TrainingSession session = started(new CpuOptions(1, method), one, data)) {
      double[] parameters = parameters(network, SEED);
      Arrays.fill(parameters, 0, 9, 1e25);
      session.write(Slot.PARAMETERS, 0, parameters);
      session.run(StepChunk.of(1).learningRate(0).build());
      assertEquals(0, session.sync().firstNonFinite()[0]);
    }
  }

  /** Opens a session with weights and data; a null for the reference. */
  private static TrainingSession started(CpuOptions options, Case one, Dataset data) {
    TrainingSession session = options == null
        ? new ReferenceBackend().open(one.network(), one.training().withPrecision(Precision.FP64), 1)
        : CpuUnderTest.open(options).open(one.network(), one.training(), 1);
    session.write(Slot.PARAMETERS, 0, parameters(one.network(), SEED));
    session.bind(data);
    return session;
  }

  /** Returns parameters that single precision holds exactly, with scales and shifts other than the initial ones. */
  private static double[] parameters(NetworkSpec network, long seed) {
    NumpyRandom stream = new NumpyRandom(seed);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      for (int i = slice.offset(); i < slice.offset() + slice.size(); i++) {
        if (slice.kind() == Kind.SCALE || slice.kind() == Kind.SHIFT) {
          parameters[i] += 0.5 * stream.randomSample();
        }
        parameters[i] = (float) parameters[i];
      }
    }
    return parameters;
  }

  private static double[] predict(TrainingSession session, Case one, Dataset data) {
    double[] out = new double[data.rows() * one.network().outputs()];
    session.predict(0, data, out);
    return out;
  }

  private static double[] read(TrainingSession session, Slot slot, int replica) {
    double[] out = new double[session.layout().size()];
    session.read(slot, replica, out);
    return out;
  }

  private static double[] flat(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
  }
}
