package dev.plumb.backend.cuda;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Bfloat16;
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
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Results of the CUDA backend that the contract does not cover: graphs, the step table, large batches and precisions. */
@Tag("cuda")
class CudaSessionTest {
  static final long SEED = 20240607;
  static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 7, 2);

  /**
   * Falling rates, batches of several sizes and of all rows, in enough steps for all sizes of graph and both halves of the table.
   */
  @ParameterizedTest
  @MethodSource("dev.plumb.backend.contract.Contract#optimizers")
  void graphComputesTheSameAsEager(OptimizerSpec optimizer) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, optimizer, 0.01, 1).withClipNorm(0.5);
    assertGraphIsEager(training);
    assertGraphIsEager(training.withPrecision(Precision.BF16));
  }

  /** A graph that recorded the step's number would drop the same units in every replay. */
  @ParameterizedTest
  @EnumSource
  void graphDropsTheSameUnitsAsEager(Precision precision) {
    assertGraphIsEager(TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision)
        .withDropout(new Dropout(0.3, SEED)));
  }

  /** A graph that recorded the sum of weights of a batch would divide by it in every replay. */
  @Test
  void graphWeightsRowsAsEagerDoes() {
    TrainingSpec classes = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    assertGraphIsEager(classes.withClipNorm(0.5), weighted(data(NETWORK, Loss.CROSS_ENTROPY, 29)));
    TrainingSpec numbers = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    assertGraphIsEager(numbers, weighted(data(NETWORK, Loss.MSE, 29)));
  }

  private static Dataset weighted(Dataset data) {
    return data.withWeights(RandomWeights.draw(data.rows(), new NumpyRandom(SEED)));
  }

  private static void assertGraphIsEager(TrainingSpec training) {
    assertGraphIsEager(training, data(NETWORK, Loss.MSE, 29));
  }

  private static void assertGraphIsEager(TrainingSpec training, Dataset data) {
    int steps = 600;
    StepChunk chunk = variedChunk(steps, 29);
    StepMetrics[] metrics = new StepMetrics[2];
    double[][] parameters = new double[2][];
    for (Execution execution : new Execution[] {Execution.EAGER, Execution.GRAPH}) {
      try (CudaBackend backend = CudaUnderTest.open(execution, Order.FORWARD);
          TrainingSession session = started(backend, NETWORK, training, data)) {
        session.run(chunk);
        metrics[execution == Execution.GRAPH ? 1 : 0] = session.sync();
        parameters[execution == Execution.GRAPH ? 1 : 0] = read(session, Slot.PARAMETERS);
      }
    }
    assertEquals(steps, metrics[0].steps().length);
    for (int step = 0; step < steps; step++) {
      assertSameBits("loss of step " + step, metrics[0].loss()[step], metrics[1].loss()[step]);
      assertSameBits("norms of step " + step, metrics[0].gradientNorms()[step][0], metrics[1].gradientNorms()[step][0]);
    }
    assertSameBits("parameters", parameters[0], parameters[1]);
  }

  /** Each replica has its own rates and batches. On a GPU, cuBLAS may add in another order for many than for one. */
  @ParameterizedTest
  @EnumSource(names = {"FP64", "TF32", "BF16"})
  @Tag("host-device")
  void manyReplicasComputeTheSameAsSingleOnes(Precision precision) {
    int replicas = 33;
    int steps = 9;
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 2, 2, 1);
    Dataset data = data(network, Loss.MSE, 5);
    NumpyRandom stream = new NumpyRandom(SEED);
    int[][][] batches = new int[steps][replicas][];
    double[][] rates = new double[steps][replicas];
    for (int step = 0; step < steps; step++) {
      for (int replica = 0; replica < replicas; replica++) {
        batches[step][replica] = Arrays.copyOf(stream.permutation(5), 3);
        rates[step][replica] = 0.1 / (1 + step + replica);
      }
    }
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession atOnce = backend.open(network, training, replicas)) {
      for (int k = 0; k < replicas; k++) {
        atOnce.write(Slot.PARAMETERS, k, weights(network, SEED));
      }
      atOnce.bind(data);
      atOnce.run(StepChunk.of(steps).learningRates(rates).replicaBatches(batches).recordAll().build());
      double[][] losses = atOnce.sync().loss();
      for (int replica = 0; replica < replicas; replica++) {
        try (TrainingSession alone = started(backend, network, training, data)) {
          for (int step = 0; step < steps; step++) {
            alone.run(StepChunk.of(1).learningRate(rates[step][replica]).batches(new int[][] {batches[step][replica]})
                .recordAll().build());
            assertSameBits("loss of step " + step, alone.sync().loss()[0], new double[] {losses[step][replica]});
          }
          double[] together = new double[alone.layout().size()];
          atOnce.read(Slot.PARAMETERS, replica, together);
          assertSameBits("parameters", read(alone, Slot.PARAMETERS), together);
        }
      }
    }
  }

  /** 260 steps of 5000 rows are more rows than a half of the step table has room for. */
  @Test
  void largeBatchesFillTheRowListFirst() {
    int rows = 5000;
    int steps = 260;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = data(network, Loss.MSE, rows);
    NumpyRandom stream = new NumpyRandom(SEED);
    int[][] batches = new int[steps][];
    Arrays.setAll(batches, step -> stream.permutation(rows));
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession atOnce = started(backend, network, training, data);
        TrainingSession oneByOne = started(backend, network, training, data)) {
      atOnce.run(StepChunk.of(steps).learningRate(0.01).batches(batches).recordAll().build());
      double[][] losses = atOnce.sync().loss();
      assertEquals(steps, losses.length);
      for (int step = 0; step < steps; step++) {
        oneByOne.run(StepChunk.of(1).learningRate(0.01).batches(new int[][] {batches[step]}).recordAll().build());
        assertSameBits("loss of step " + step, oneByOne.sync().loss()[0], losses[step]);
      }
    }
  }

  /** The steps fill both halves of the table, and their row lists completely. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void halvesAreFilledToTheLastRow(boolean weighted) {
    int steps = 512;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = weighted ? weighted(data(network, Loss.MSE, 7)) : data(network, Loss.MSE, 7);
    NumpyRandom stream = new NumpyRandom(SEED);
    int[][] batches = new int[steps][];
    Arrays.setAll(batches, step -> Arrays.copyOf(stream.permutation(7), 3));
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession atOnce = started(backend, network, training, data);
        TrainingSession inParts = started(backend, network, training, data)) {
      atOnce.run(StepChunk.of(steps).learningRate(0.01).batches(batches).build());
      atOnce.sync();
      for (int step = 0; step < steps; step += 64) {
        inParts.run(StepChunk.of(64).learningRate(0.01).batches(Arrays.copyOfRange(batches, step, step + 64)).build());
        inParts.sync();
      }
      assertSameBits("parameters", read(inParts, Slot.PARAMETERS), read(atOnce, Slot.PARAMETERS));
    }
  }

  /**
   * Up to 1,024 rows are summed by the kernels for small products. More are summed by cuBLAS, bias gradients in segments, and
   * evaluations in blocks. 1e-13 is 900 roundings: of sums of 33 products in each output, of the functions of the loss, and of a
   * gradient step before, all in another order than in the reference.
   */
  @ParameterizedTest
  @CsvSource({
    "MSE, 1000, false", "CROSS_ENTROPY, 1000, false", "BINARY_CROSS_ENTROPY, 1000, false", "MSE, 2500, false",
    "CROSS_ENTROPY, 2500, false", "MSE, 2500, true", "CROSS_ENTROPY, 2500, true",
  })
  void manyRowsMatchTheReference(Loss loss, int rows, boolean weighted) {
    NetworkSpec network = NetworkSpec.of(Activation.GELU, 3, 33, 5);
    Dataset data = weighted ? weighted(data(network, loss, rows)) : data(network, loss, rows);
    TrainingSpec training = TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    // The second step shows that gradients are not accumulated.
    StepChunk step = StepChunk.of(2).learningRate(0.1).record(1).build();
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = started(backend, network, training, data);
        TrainingSession reference = started(new ReferenceBackend(), network, training, data)) {
      cuda.run(step);
      reference.run(step);
      assertRelativeToLargest("loss", reference.sync().loss()[0], cuda.sync().loss()[0], 1e-13);
      assertRelativeToLargest("gradients", read(reference, Slot.GRADIENTS), read(cuda, Slot.GRADIENTS), 1e-13);
      assertRelativeToLargest("evaluation", reference.evaluate(data).loss(), cuda.evaluate(data).loss(), 1e-13);
      assertTrue(Arrays.equals(reference.evaluate(data).correct(), cuda.evaluate(data).correct()), "correct predictions");
      double[] expected = new double[rows * 5];
      double[] predicted = new double[rows * 5];
      reference.predict(0, data, expected);
      cuda.predict(0, data, predicted);
      assertRelativeToLargest("prediction", expected, predicted, 1e-13);
    }
  }

  /** More classes than lanes of a warp, ties of the largest within a lane and between two, and the largest first. */
  @Test
  void correctPredictionIsTheFirstOfEqualClasses() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 70);
    double[] parameters = new double[140];
    parameters[70 + 37] = 3;
    parameters[70 + 5] = 3;
    parameters[70 + 69] = 3;
    parameters[70 + 40] = 3;
    int[] labels = {5, 37, 37, 69, 69, 69, 40, 40, 40, 40};
    Dataset data = Dataset.ofClasses(1, 70, new double[labels.length], labels);
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open(); TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      assertEquals(1, session.evaluate(data).correct()[0]);
      parameters[70] = 4;
      session.write(Slot.PARAMETERS, 0, parameters);
      assertEquals(0, session.evaluate(data).correct()[0]);
    }
  }

  @Test
  void buffersGrowWithTheBatch() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    int[] repeated = new int[1100];
    Arrays.setAll(repeated, i -> i % 13);
    int[][] batches = {{3}, {1, 2, 3, 4}, null, repeated, {5}};
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession oneByOne = started(backend, NETWORK, training, data);
        TrainingSession atOnce = started(backend, NETWORK, training, data)) {
      for (int[] batch : batches) {
        oneByOne.run(StepChunk.of(1).learningRate(0.01).batches(new int[][] {batch}).build());
      }
      atOnce.run(StepChunk.of(batches.length).learningRate(0.01).batches(batches).build());
      oneByOne.sync();
      atOnce.sync();
      assertSameBits("parameters", read(oneByOne, Slot.PARAMETERS), read(atOnce, Slot.PARAMETERS));
    }
  }

  @Test
  void dataBeyondSinglePrecisionIsRefused() {
    Dataset data = Dataset.ofTargets(3, 2, new double[] {1, 1e39, 1}, new double[2]);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession single = backend.open(NETWORK, training.withPrecision(Precision.FP32), 1);
        TrainingSession full = backend.open(NETWORK, training, 1)) {
      assertTrue(assertThrows(InvalidInputException.class, () -> single.bind(data)).getMessage().contains("1.0E39"));
      full.bind(data);
    }
  }

  @Test
  void dataBeyondBfloat16AreRefused() {
    Dataset data = Dataset.ofTargets(3, 2, new double[] {1, 1, 3.4e38}, new double[2]);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession rounded = backend.open(NETWORK, training.withPrecision(Precision.BF16), 1);
        TrainingSession single = backend.open(NETWORK, training.withPrecision(Precision.FP32), 1)) {
      assertEquals("the data contain 3.4E38, which is too large for bf16; scale the column, or use --precision fp32 or fp64",
          assertThrows(InvalidInputException.class, () -> rounded.bind(data)).getMessage());
      single.bind(data);
    }
  }

  /** Vectors of this size are written tensor by tensor, and the rows of the first two weights are padded. */
  @Test
  void largeParametersAreRoundedWhenTheyAreWritten() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 301, 131, 2);
    Dataset data = data(network, Loss.MSE, 9);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.BF16);
    double[] parameters = weights(network, SEED);
    try (CudaBackend backend = CudaUnderTest.open(); TrainingSession session = started(backend, network, training, data)) {
      assertSameBits("parameters", Arrays.stream(parameters).map(value -> (float) value).toArray(), read(session, Slot.PARAMETERS));
      double[] outputs = new double[9 * 2];
      session.predict(0, data, outputs);
      assertRelativeToLargest("outputs", roundedOutputs(network, parameters, data), outputs, 2e-3);
    }
  }

  /** Plain loops in double precision with rounded factors. An activation next to a tie may be rounded to either side. */
  private static double[] roundedOutputs(NetworkSpec network, double[] parameters, Dataset data) {
    ParameterLayout layout = ParameterLayout.of(network);
    double[] outputs = new double[data.rows() * network.outputs()];
    for (int row = 0; row < data.rows(); row++) {
      double[] in = new double[network.inputs()];
      for (int k = 0; k < in.length; k++) {
        in[k] = data.feature(row, k);
      }
      for (int layer = 0; layer < network.layerCount(); layer++) {
        double[] z = new double[network.layer(layer).out()];
        for (int unit = 0; unit < z.length; unit++) {
          z[unit] = (float) parameters[layout.bias(layer).offset() + unit];
          for (int k = 0; k < in.length; k++) {
            z[unit] += (double) Bfloat16.rounded(in[k])
                * Bfloat16.rounded(parameters[layout.weight(layer).offset() + unit * in.length + k]);
          }
        }
        in = layer == network.layerCount() - 1 ? z : Arrays.stream(z).map(value -> Math.max(value, 0)).toArray();
      }
      System.arraycopy(in, 0, outputs, row * network.outputs(), in.length);
    }
    return outputs;
  }

  /** On a GPU, cuBLAS may compute such small products without TF32. */
  @Test
  @Tag("host-device")
  void tf32RoundsOnlyProducts() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    Dataset data = data(NETWORK, Loss.MSE, 13);
    StepChunk step = StepChunk.of(1).learningRate(0.1).recordAll().build();
    try (CudaBackend backend = CudaUnderTest.openCublas(Execution.GRAPH, Order.FORWARD);
        TrainingSession tf32 = started(backend, NETWORK, training.withPrecision(Precision.TF32), data);
        TrainingSession single = started(backend, NETWORK, training.withPrecision(Precision.FP32), data);
        TrainingSession full = started(backend, NETWORK, training, data)) {
      for (TrainingSession session : new TrainingSession[] {tf32, single, full}) {
        session.run(step);
      }
      double exact = full.sync().loss()[0][0];
      assertEquals(exact, single.sync().loss()[0][0], 1e-6 * exact, "fp32 is not rounded to TF32 after a TF32 session");
      double rounded = tf32.sync().loss()[0][0];
      assertEquals(exact, rounded, 2e-3 * exact);
      assertTrue(Math.abs(exact - rounded) > 1e-6 * exact, "TF32 should round: " + rounded);
    }
  }

  static StepChunk variedChunk(int steps, int rows) {
    NumpyRandom stream = new NumpyRandom(SEED);
    double[][] rates = new double[steps][1];
    int[][] batches = new int[steps][];
    for (int step = 0; step < steps; step++) {
      rates[step][0] = 0.05 / (1 + step);
      boolean all = step % 50 < 10;
      batches[step] = all ? null : Arrays.copyOf(stream.permutation(rows), step % 50 < 45 ? 8 : 3);
    }
    return StepChunk.of(steps).learningRates(rates).batches(batches).recordAll().build();
  }

  static TrainingSession started(
      Backend backend, NetworkSpec network, TrainingSpec training, Dataset data) {
    TrainingSession session = backend.open(network, training, 1);
    session.write(Slot.PARAMETERS, 0, weights(network, SEED));
    session.bind(data);
    return session;
  }

  private static double[] weights(NetworkSpec network, long seed) {
    return Initializer.PYTORCH.draw(network, new NumpyRandom(seed));
  }

  static Dataset data(NetworkSpec network, Loss loss, int rows) {
    return RandomData.draw(rows, network, loss, new NumpyRandom(SEED));
  }

  static double[] read(TrainingSession session, Slot slot) {
    double[] out = new double[session.layout().size()];
    session.read(slot, 0, out);
    return out;
  }
}
