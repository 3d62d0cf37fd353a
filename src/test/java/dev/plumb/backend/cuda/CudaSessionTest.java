package dev.plumb.backend.cuda;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Kind;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.cuda.layered.SmallProducts;
import dev.plumb.backend.cuda.layered.StepPlan;
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
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the CUDA backend promises beyond the contract: graphs, the step table, blocks of many rows, no waiting while it enqueues. */
@Tag("cuda")
class CudaSessionTest {
  private static final long SEED = 20240607;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 7, 2);

  /** Rates that fall, batches of several sizes, all rows now and then; long enough for all sizes of graph and both halves. */
  @ParameterizedTest
  @MethodSource("dev.plumb.backend.contract.Contract#optimizers")
  void graphReplaysWhatEagerComputes(OptimizerSpec optimizer) {
    assertGraphIsEager(TrainingSpec.of(Loss.MSE, optimizer, 0.01, 1).withClipNorm(0.5));
  }

  /** A recorded graph that held the step's number would drop the same units at every replay. */
  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32", "TF32"})
  void graphDropsWhatEagerDrops(Precision precision) {
    assertGraphIsEager(TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision)
        .withDropout(new Dropout(0.3, SEED)));
  }

  private static void assertGraphIsEager(TrainingSpec training) {
    int steps = 600;
    Dataset data = data(NETWORK, Loss.MSE, 29);
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

  @ParameterizedTest
  @EnumSource(Execution.class)
  @Tag("host-device")
  void graphsAreLaunchedWhereAskedForAlone(Execution execution) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open(execution, Order.FORWARD);
        TrainingSession session = started(backend, NETWORK, training, data(NETWORK, Loss.MSE, 29))) {
      session.run(variedChunk(20, 29));
      session.sync();
      assertEquals(execution == Execution.GRAPH, HostDevice.count(Counter.GRAPH_LAUNCHES) > 0);
    }
  }

  /** Each replica with its own rates and batches. A card's cuBLAS may add in another order for many than for one. */
  @ParameterizedTest
  @EnumSource(names = {"FP64", "TF32"})
  @Tag("host-device")
  void manyReplicasGiveWhatEachGivesAlone(Precision precision) {
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

  /** More rows than a half of the step table lists: 260 steps of 5000. */
  @Test
  void largeBatchesFillTheTableBeforeTheirNumberDoes() {
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

  /** As many steps as both halves of the table hold, so that their row lists are full. */
  @Test
  void halvesAreFilledToTheLastRow() {
    int steps = 512;
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = data(network, Loss.MSE, 7);
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
   * Up to 1,024 rows kernels of small products add them up. Beyond that cuBLAS does, bias gradients are summed in segments, and
   * evaluations go block by block. 1e-13 is 900 roundings: of sums of 33 products in each output, of the functions of the loss, and of
   * a gradient step before; all in another order than the reference's.
   */
  @ParameterizedTest
  @CsvSource({"MSE, 1000", "CROSS_ENTROPY, 1000", "BINARY_CROSS_ENTROPY, 1000", "MSE, 2500", "CROSS_ENTROPY, 2500"})
  void manyRowsAreSummedRight(Loss loss, int rows) {
    NetworkSpec network = NetworkSpec.of(Activation.GELU, 3, 33, 5);
    Dataset data = data(network, loss, rows);
    TrainingSpec training = TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    // The second step shows whether gradients begin anew.
    StepChunk step = StepChunk.of(2).learningRate(0.1).record(1).build();
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = started(backend, network, training, data);
        TrainingSession reference = started(new ReferenceBackend(), network, training, data)) {
      cuda.run(step);
      reference.run(step);
      assertRelativeToLargest("loss", reference.sync().loss()[0], cuda.sync().loss()[0], 1e-13);
      assertRelativeToLargest("gradients", read(reference, Slot.GRADIENTS), read(cuda, Slot.GRADIENTS), 1e-13);
      assertRelativeToLargest("evaluation", reference.evaluate(data).loss(), cuda.evaluate(data).loss(), 1e-13);
      assertTrue(Arrays.equals(reference.evaluate(data).correct(), cuda.evaluate(data).correct()), "hits");
      double[] expected = new double[rows * 5];
      double[] predicted = new double[rows * 5];
      reference.predict(0, data, expected);
      cuda.predict(0, data, predicted);
      assertRelativeToLargest("prediction", expected, predicted, 1e-13);
    }
  }

  /** More classes than a warp has lanes, ties of the largest within a lane and between two, the first class the largest. */
  @Test
  void hitsOfManyClassesAreTheFirstOfTheLargest() {
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
  @Tag("host-device")
  void runNeitherWaitsNorAllocates() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    StepChunk chunk = variedChunk(100, 13);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession session = started(backend, NETWORK, training, data)) {
      session.run(chunk);
      session.sync();
      long waits = HostDevice.count(Counter.SYNCHRONISATIONS);
      long allocations = HostDevice.count(Counter.ALLOCATIONS);
      long kernels = HostDevice.count(Counter.KERNELS);
      session.run(chunk);
      assertEquals(waits, HostDevice.count(Counter.SYNCHRONISATIONS), "waits");
      assertEquals(allocations, HostDevice.count(Counter.ALLOCATIONS), "allocations");
      assertEquals(kernels, HostDevice.count(Counter.KERNELS), "kernels that ran before anyone waited");
      session.sync();
      assertTrue(HostDevice.count(Counter.KERNELS) > kernels);
    }
  }

  /** A step of gathered rows, launch by launch; GEMMs count like kernels. Beyond 256 rows cuBLAS's path sums segments. */
  @ParameterizedTest
  @CsvSource({
    "true, 1, 4, false, false, 9, 0", "true, 1, 4, true, false, 10, 0", "true, 3, 4, false, false, 10, 0",
    "true, 1, 4, false, true, 11, 0", "true, 1, 300, false, false, 9, 0", "false, 1, 4, false, false, 11, 8",
    "false, 1, 4, true, false, 12, 8", "false, 3, 4, false, false, 12, 8", "false, 1, 4, false, true, 11, 8",
    "false, 1, 300, false, false, 14, 8",
  })
  @Tag("host-device")
  void stepsHaveAsManyLaunches(
      boolean smallProducts, int replicas, int rows, boolean clips, boolean drops, int kernels, int gemms) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 5, 7, 6, 3);
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    if (clips) {
      training = training.withClipNorm(1);
    }
    if (drops) {
      training = training.withDropout(new Dropout(0.3, SEED));
    }
    try (CudaBackend backend = smallProducts
        ? CudaUnderTest.open(Execution.EAGER, Order.FORWARD) : CudaUnderTest.openCublas(Execution.EAGER, Order.FORWARD);
        TrainingSession session = backend.open(network, training, replicas)) {
      session.bind(data(network, Loss.CROSS_ENTROPY, 313));
      int[] batch = new int[rows];
      Arrays.setAll(batch, row -> 7 * row % 313);
      long kernelsBefore = HostDevice.count(Counter.KERNELS);
      long gemmsBefore = HostDevice.count(Counter.GEMMS);
      session.run(StepChunk.of(1).learningRate(0.01).batches(new int[][] {batch}).build());
      session.sync();
      assertEquals(kernels, HostDevice.count(Counter.KERNELS) - kernelsBefore, "kernels");
      assertEquals(gemms, HostDevice.count(Counter.GEMMS) - gemmsBefore, "GEMMs");
      if (replicas == 1) {
        assertEquals(kernels + gemms,
            StepPlan.launches(network, training, new SmallProducts(network, training.precision(), smallProducts), rows));
      }
    }
  }

  /** A new size of batch every step, and predictions of many sizes: what was made for old ones is given up in time. */
  @Test
  @Tag("host-device")
  void neverMoreThanSomeSizesAreKept() {
    int rows = 150;
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 1, 2, 1);
    Dataset data = data(network, Loss.MSE, rows);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    int[][] batches = new int[2 * rows][];
    Arrays.setAll(batches, step -> new int[step / 2 + 1]);
    StepChunk chunk = StepChunk.of(batches.length).learningRate(0.01).batches(batches).build();
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = started(backend, network, training, data);
        TrainingSession reference = started(new ReferenceBackend(), network, training, data)) {
      cuda.run(chunk);
      reference.run(chunk);
      cuda.sync();
      assertTrue(HostDevice.alive(Kind.GRAPH_EXEC) <= 64, HostDevice.alive(Kind.GRAPH_EXEC) + " graphs");
      for (int size = rows; size > 0; size--) {
        Dataset few = data(network, Loss.MSE, size);
        double[] expected = new double[size];
        double[] predicted = new double[size];
        cuda.predict(0, few, predicted);
        reference.predict(0, few, expected);
        assertRelativeToLargest("prediction of " + size + " rows", expected, predicted, 1e-12);
      }
      assertTrue(HostDevice.alive(Kind.PINNED_MEMORY) < 140, HostDevice.alive(Kind.PINNED_MEMORY) + " pinned blocks");
    }
  }

  @Test
  void sessionBelongsToItsThread() throws InterruptedException {
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession session = backend.open(NETWORK, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1), 1)) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread other = new Thread(() -> {
        try {
          session.sync();
        } catch (Throwable e) {
          thrown.set(e);
        }
      });
      other.start();
      other.join();
      assertEquals(IllegalStateException.class, thrown.get().getClass());
      session.sync();
    }
  }

  @Test
  void closedBackendSaysSo() {
    CudaBackend backend = CudaUnderTest.open();
    backend.close();
    backend.close();
    assertEquals("this CUDA backend is closed", assertThrows(IllegalStateException.class, () -> backend.open(
        NETWORK, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1), 1)).getMessage());
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

  /** A card's cuBLAS may compute products as small as these without TF32. */
  @Test
  @Tag("host-device")
  void bf16IsRefusedAndTf32RoundsProductsAlone() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    Dataset data = data(NETWORK, Loss.MSE, 13);
    StepChunk step = StepChunk.of(1).learningRate(0.1).recordAll().build();
    try (CudaBackend backend = CudaUnderTest.openCublas(Execution.GRAPH, Order.FORWARD);
        TrainingSession tf32 = started(backend, NETWORK, training.withPrecision(Precision.TF32), data);
        TrainingSession single = started(backend, NETWORK, training.withPrecision(Precision.FP32), data);
        TrainingSession full = started(backend, NETWORK, training, data)) {
      assertTrue(backend.refusal(NETWORK, training.withPrecision(Precision.BF16), 1).isPresent());
      for (TrainingSession session : new TrainingSession[] {tf32, single, full}) {
        session.run(step);
      }
      double exact = full.sync().loss()[0][0];
      assertEquals(exact, single.sync().loss()[0][0], 1e-6 * exact, "after a TF32 session singles are singles again");
      double rounded = tf32.sync().loss()[0][0];
      assertEquals(exact, rounded, 2e-3 * exact);
      assertTrue(Math.abs(exact - rounded) > 1e-6 * exact, "TF32 should round: " + rounded);
    }
  }

  /** A card allocates in larger units. */
  @Test
  @Tag("host-device")
  void sessionIsAsLargeAsTheMemoryThatItTakes() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    try (CudaBackend backend = CudaUnderTest.open()) {
      long before = freeMemory();
      try (TrainingSession session = backend.open(NETWORK, training, 3)) {
        long opened = before - freeMemory();
        assertTrue(opened > 0);
        assertEquals(opened, ((MemoryFootprint) session).bytes());
        session.bind(data(NETWORK, Loss.MSE, 29));
        session.run(StepChunk.of(1).learningRate(0.1).build());
        session.evaluate(data(NETWORK, Loss.MSE, 13));
        assertTrue(before - freeMemory() > opened);
        assertEquals(before - freeMemory(), ((MemoryFootprint) session).bytes());
      }
      assertEquals(before, freeMemory());
    }
  }

  private static long freeMemory() {
    long[] free = new long[1];
    cuMemGetInfo(free, new long[1]);
    return free[0];
  }

  private static StepChunk variedChunk(int steps, int rows) {
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

  private static TrainingSession started(
      Backend backend, NetworkSpec network, TrainingSpec training, Dataset data) {
    TrainingSession session = backend.open(network, training, 1);
    session.write(Slot.PARAMETERS, 0, weights(network, SEED));
    session.bind(data);
    return session;
  }

  private static double[] weights(NetworkSpec network, long seed) {
    return Initializer.PYTORCH.draw(network, new NumpyRandom(seed));
  }

  private static Dataset data(NetworkSpec network, Loss loss, int rows) {
    return RandomData.draw(rows, network, loss, new NumpyRandom(SEED));
  }

  private static double[] read(TrainingSession session, Slot slot) {
    double[] out = new double[session.layout().size()];
    session.read(slot, 0, out);
    return out;
  }
}
