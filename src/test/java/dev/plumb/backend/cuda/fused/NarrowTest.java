package dev.plumb.backend.cuda.fused;

import static dev.plumb.backend.cuda.TrainingResult.SEED;
import static dev.plumb.backend.cuda.TrainingResult.trained;
import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceMemoryException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.TrainingResult;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Kind;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
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
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The narrow kernels give the same results as the general fused kernel. */
@Tag("cuda")
class NarrowTest {
  private static final Activation[] ACTIVATIONS =
      {Activation.LINEAR, Activation.RELU, Activation.LEAKY_RELU, Activation.SIGMOID, Activation.TANH};
  private static final OptimizerSpec[] OPTIMIZERS = {
    OptimizerSpec.Sgd.DEFAULT, new OptimizerSpec.Sgd(0, false, 0.01), new OptimizerSpec.Sgd(0.9, false, 0.01),
    new OptimizerSpec.Sgd(0.9, true, 0), OptimizerSpec.Adam.DEFAULT, OptimizerSpec.Adam.DEFAULT_W, OptimizerSpec.RmsProp.DEFAULT,
  };
  private static final NetworkSpec DEEPEST = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
  /** Mini-batches of several lengths, and all rows. */
  private static final StepChunk MIXED = StepChunk.of(4).learningRate(0.05)
      .batches(new int[][] {{1, 4, 9, 12, 0}, null, {3}, {37, 38, 2, 6, 5}}).recordAll().build();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyWidthAndDepthHasTheResultsOfTheGeneralKernel(int width) {
    int trained = 0;
    for (int hidden = 1; ; hidden++) {
      List<Integer> widths = new ArrayList<>(Collections.nCopies(hidden + 2, width));
      widths.set(0, 1 + (3 * hidden + width) % 8);
      widths.set(hidden + 1, 1 + (hidden + width) % 4);
      NetworkSpec network = new NetworkSpec(widths, ACTIVATIONS[(hidden + width) % ACTIVATIONS.length]);
      Loss loss = Loss.values()[(hidden / 5 + width) % Loss.values().length];
      TrainingSpec training = TrainingSpec.of(loss, OPTIMIZERS[hidden % OPTIMIZERS.length], 0.01, 1).withPrecision(Precision.FP32);
      training = hidden % 2 == 0 ? training : training.withClipNorm(0.3);
      if (!NarrowPlan.takes(network, training)) {
        break;
      }
      assertSameAsGeneral(network, training, RandomData.draw(39, network, loss, new NumpyRandom(SEED)), MIXED);
      trained++;
    }
    assertTrue(width > 4 ? trained >= 7 && trained <= 8 : trained >= 29 && trained <= 31, trained + " depths");
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void everyActivationLossAndOptimizerHasTheResultsOfTheGeneralKernel(Loss loss) {
    for (Activation activation : ACTIVATIONS) {
      NetworkSpec network = NetworkSpec.of(activation, 5, 7, 8, 3);
      NetworkSpec single = NetworkSpec.of(activation, 3, 8, 8, 1);
      for (OptimizerSpec optimizer : OPTIMIZERS) {
        TrainingSpec training = TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(Precision.FP32);
        assertSameAsGeneral(network, training, RandomData.draw(39, network, loss, new NumpyRandom(SEED)), MIXED);
        assertSameAsGeneral(single, training.withClipNorm(0.1), RandomData.draw(39, single, loss, new NumpyRandom(SEED)), MIXED);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void weightedRowsHaveTheResultsOfTheGeneralKernel(Loss loss) {
    for (Activation activation : ACTIVATIONS) {
      NetworkSpec network = NetworkSpec.of(activation, 5, 7, 8, 4);
      NetworkSpec single = NetworkSpec.of(activation, 3, 8, 8, 1);
      OptimizerSpec optimizer = OPTIMIZERS[(activation.ordinal() + loss.ordinal()) % OPTIMIZERS.length];
      TrainingSpec training = TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(Precision.FP32);
      assertSameAsGeneral(network, training, weighted(39, network, loss), MIXED);
      assertSameAsGeneral(single, training.withClipNorm(0.1), weighted(39, single, loss), MIXED);
      for (int rows : new int[] {1, 33, 400, 1000}) {
        assertSameAsGeneral(network, training, weighted(rows, network, loss), StepChunk.of(2).learningRate(0.05).recordAll().build());
      }
    }
  }

  private static Dataset weighted(int rows, NetworkSpec network, Loss loss) {
    NumpyRandom stream = new NumpyRandom(SEED);
    return RandomData.draw(rows, network, loss, stream).withWeights(RandomWeights.draw(rows, stream));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 32, 33, 63, 65, 400, 1000})
  void everyBatchHasTheResultsOfTheGeneralKernel(int rows) {
    Dataset data = RandomData.draw(rows, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    StepChunk chunk = StepChunk.of(2).learningRate(0.05).recordAll().build();
    assertSameAsGeneral(DEEPEST, SGD, data, chunk);
    assertSameAsGeneral(DEEPEST, TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(Precision.FP32), data,
        chunk);
  }

  /** A tile is as long as the usual batch; a longer one, here of all rows, is cut. */
  @Test
  void batchesLongerThanPlannedHaveTheResultsOfTheGeneralKernel() {
    Dataset data = RandomData.draw(131, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    for (int usual : new int[] {1, 5, 33, 40, 100}) {
      assertSameAsGeneral(DEEPEST, SGD.withBatchSize(usual), data, MIXED);
    }
  }

  @ParameterizedTest
  @EnumSource(Order.class)
  @Tag("host-device")
  void everyOrderOfThreadsHasTheSameBits(Order order) {
    Dataset data = RandomData.draw(70, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    TrainingResult[] results = new TrainingResult[2];
    for (int i = 0; i < 2; i++) {
      try (CudaBackend backend = CudaUnderTest.openFusedRoundingAlike(i == 0 ? Order.FORWARD : order)) {
        results[i] = trained(backend, DEEPEST, SGD, data, MIXED, 3, 0);
      }
    }
    results[0].assertSame(order.toString(), results[1]);
  }

  @Test
  void replicaHasTheBitsThatItHasAlone() {
    NetworkSpec network = NetworkSpec.of(Activation.SIGMOID, 4, 6, 8, 2);
    Dataset data = RandomData.draw(40, network, Loss.CROSS_ENTROPY, new NumpyRandom(SEED));
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    int[][][] batches = {{{1, 2, 3}, {4, 5, 7}, {6, 0, 39}}, {{7, 8}, {9, 10}, {39, 1}}};
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
      StepChunk together = StepChunk.of(2).learningRate(0.05).replicaBatches(batches).build();
      TrainingResult all = trained(backend, network, training, data, together, 3, 0);
      int size = all.parameters().length / 3;
      for (int replica = 0; replica < 3; replica++) {
        StepChunk alone = StepChunk.of(2).learningRate(0.05)
            .batches(new int[][] {batches[0][replica], batches[1][replica]}).build();
        TrainingResult one = trained(backend, network, training, data, alone, 1, replica);
        assertSameBits("replica " + replica, one.parameters(),
            Arrays.copyOfRange(all.parameters(), replica * size, (replica + 1) * size));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void trainsAsTheReference(Loss loss) {
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED); Backend oracle = new ReferenceBackend()) {
      for (Activation activation : ACTIVATIONS) {
        NetworkSpec network = NetworkSpec.of(activation, 4, 8, 5, 2);
        Dataset data = RandomData.draw(39, network, loss, new NumpyRandom(SEED));
        TrainingSpec training = TrainingSpec.of(loss, new OptimizerSpec.Sgd(0.9, true, 0.01), 0.01, 1).withClipNorm(0.5)
            .withPrecision(Precision.FP32);
        TrainingResult expected = trained(oracle, network, training.withPrecision(Precision.FP64), data, MIXED, 1, 0);
        TrainingResult actual = trained(backend, network, training, data, MIXED, 1, 0);
        String what = activation + ", " + loss + ": ";
        assertRelativeToLargest(what + "losses", expected.losses(), actual.losses(), 1e-5);
        assertRelativeToLargest(what + "norms", expected.norms(), actual.norms(), 1e-5);
        assertRelativeToLargest(what + "gradients", expected.gradients(), actual.gradients(), 1e-5);
        assertRelativeToLargest(what + "parameters", expected.parameters(), actual.parameters(), 1e-5);
      }
    }
  }

  /**
   * One row per step, whose loss is sigmoid(weight · x): for all exponents of both signs with several mantissas, and densely
   * where neither e^-|z| nor 1 rounds away. The learning rate is 0 in fp32.
   */
  @ParameterizedTest
  @ValueSource(doubles = {1, 16})
  void sigmoidHasTheResultsOfTheGeneralKernel(double weight) {
    List<Double> values = new ArrayList<>(List.of(0.0, -0.0, (double) Float.MIN_VALUE, (double) -Float.MIN_VALUE));
    for (int exponent = -149; exponent <= 127; exponent++) {
      for (float mantissa : new float[] {1, 1.3333334f, Math.nextDown(2f)}) {
        values.add((double) Math.scalb(mantissa, exponent));
        values.add((double) -Math.scalb(mantissa, exponent));
      }
    }
    for (float z = -110; z < 110; z += 0.1873f) {
      values.add((double) z);
    }
    int rows = values.size();
    double[] x = values.stream().mapToDouble(Double::doubleValue).toArray();
    Dataset data = Dataset.ofTargets(1, 1, x, new double[rows]);
    NetworkSpec network = NetworkSpec.of(Activation.SIGMOID, 1, 1, 1);
    TrainingSpec training = TrainingSpec.of(Loss.MAE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    StepChunk chunk = StepChunk.of(rows).learningRate(1e-60)
        .batches(IntStream.range(0, rows).mapToObj(row -> new int[] {row}).toArray(int[][]::new)).recordAll().build();
    double[][] losses = new double[2][];
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
      for (int i = 0; i < 2; i++) {
        try (TrainingSession session = backend.open(network, i == 0 ? training : byGeneralKernel(training), 1)) {
          session.write(Slot.PARAMETERS, 0, new double[] {weight, 0, 1, 0});
          session.bind(data);
          session.run(chunk);
          losses[i] = TrainingResult.flat(session.sync().loss());
        }
      }
    }
    assertSameBits("sigmoid", losses[1], losses[0]);
    for (int i = 0; i < rows; i++) {
      double z = weight * x[i];
      assertEquals(1 / (1 + Math.exp(-z)), losses[0][i], 4e-7 * losses[0][i] + Float.MIN_VALUE, "sigmoid of " + z);
    }
  }

  /** Infinite and NaN parameters, whose effects stop at padding as they do in the general kernel. */
  @ParameterizedTest
  @ValueSource(doubles = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN, 3e38})
  void valuesThatAreNotFiniteSpreadAsInTheGeneralKernel(double value) {
    for (Activation activation : ACTIVATIONS) {
      NetworkSpec network = NetworkSpec.of(activation, 3, 6, 8, 2);
      Dataset data = RandomData.draw(39, network, Loss.MSE, new NumpyRandom(SEED));
      TrainingResult[] results = new TrainingResult[2];
      try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
        for (int i = 0; i < 2; i++) {
          try (TrainingSession session = backend.open(network, i == 0 ? SGD : byGeneralKernel(SGD), 1)) {
            double[] parameters = Initializer.PYTORCH.draw(network, new NumpyRandom(SEED));
            parameters[4] = value;
            session.write(Slot.PARAMETERS, 0, parameters);
            session.bind(data);
            session.run(MIXED);
            results[i] = TrainingResult.of(session, SGD);
          }
        }
      }
      results[0].withoutSignsOfZeroAndNan().assertSame(activation + ", " + value, results[1].withoutSignsOfZeroAndNan());
    }
  }

  /**
   * A block that has less shared memory takes fewer rows at a time; one that has no room for a warp's rows has the general
   * kernel.
   */
  @Test
  @Tag("host-device")
  void lengthOfTilesDoesNotShow() {
    Dataset data = RandomData.draw(131, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    TrainingResult expected = trainedIn(0, DEEPEST, data);
    int[] rows = {136, 64, 32};
    int[] bytes = {100_000, 60_000, 30_000};
    for (int i = 0; i < rows.length; i++) {
      DeviceLimits limits = new DeviceLimits(bytes[i], 228 << 10, 1 << 10, 4);
      assertEquals(rows[i], NarrowPlan.of(DEEPEST, SGD, 1, 131, 131, limits).orElseThrow().rowsOfTile());
      expected.assertSame("tiles of " + rows[i], trainedIn(bytes[i], DEEPEST, data));
    }
    // The narrow kernel pads its layers to 8 units.
    NetworkSpec thin = NetworkSpec.of(Activation.RELU, 3, 2, 2, 2, 1);
    int general = (int) FusedMemory.of(new FusedLayers(thin, Precision.FP32), thin, SGD, 32, 1, 0).bytes();
    assertTrue(NarrowPlan.of(thin, SGD, 1, 131, 131, new DeviceLimits(general, 228 << 10, 1 << 10, 4)).isEmpty());
    trainedIn(0, thin, data).withoutSignsOfZeroAndNan()
        .assertSame("the general kernel", trainedIn(general, thin, data).withoutSignsOfZeroAndNan());
  }

  private static TrainingResult trainedIn(int sharedMemory, NetworkSpec network, Dataset data) {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.sharedMemory(sharedMemory);
    try (CudaBackend backend = new CudaBackend(0, new CudaOptions(Execution.GRAPH, true, Planner.FUSED, true))) {
      return trained(backend, network, SGD, data, MIXED, 1, 0);
    }
  }

  /** Next to plumb, which is always loaded. */
  @Test
  @Tag("host-device")
  void trainingLoadsOnlyTheModuleOfItsKernel() {
    NetworkSpec general = new NetworkSpec(DEEPEST.widths(), Activation.GELU);
    Dataset data = RandomData.draw(39, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    for (NetworkSpec network : List.of(DEEPEST, general)) {
      try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
        trained(backend, network, SGD, data, MIXED, 1, 0);
        assertEquals(2, HostDevice.alive(Kind.MODULE), network.toString());
        trained(backend, network.equals(DEEPEST) ? general : DEEPEST, SGD, data, MIXED, 1, 0);
        assertEquals(3, HostDevice.alive(Kind.MODULE), "both kernels");
      }
      try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
        trained(backend, network, SGD, weighted(39, network, Loss.MSE), MIXED, 1, 0);
        assertEquals(2, HostDevice.alive(Kind.MODULE), network + ", weighted rows");
      }
    }
  }

  @Test
  @Tag("host-device")
  void sessionThatFindsNoMemoryLeavesNothingBehind() {
    Dataset data = RandomData.draw(7, DEEPEST, Loss.MSE, new NumpyRandom(SEED));
    int failed = 0;
    for (boolean done = false; !done; ) {
      HostDevice.load();
      HostDevice.reset();
      HostDevice.quiet(true);
      HostDevice.fault(Fault.MEMORY, failed + 1);
      try (CudaBackend backend = new CudaBackend(0, new CudaOptions(Execution.GRAPH, true, Planner.FUSED, true))) {
        trained(backend, DEEPEST, SGD, data, StepChunk.of(1).learningRate(0.01).build(), 1, 0);
        done = true;
      } catch (DeviceMemoryException e) {
        failed++;
      } finally {
        HostDevice.fault(Fault.NONE, 1);
      }
      assertEquals("", HostDevice.left(), "not released after " + failed + " failures");
    }
    assertTrue(failed >= 8, failed + " allocations");
  }

  private static void assertSameAsGeneral(NetworkSpec network, TrainingSpec training, Dataset data, StepChunk chunk) {
    assertTrue(NarrowPlan.takes(network, training) && !NarrowPlan.takes(network, byGeneralKernel(training)), network.shape());
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
      TrainingResult general = trained(backend, network, byGeneralKernel(training), data, chunk, 2, 0);
      TrainingResult narrow = trained(backend, network, training, data, chunk, 2, 0);
      general.withoutSignsOfZeroAndNan().assertSame(network + ", " + training, narrow.withoutSignsOfZeroAndNan());
    }
  }

  /** Dropout of nothing, which computes the same. */
  private static TrainingSpec byGeneralKernel(TrainingSpec training) {
    return training.withDropout(new Dropout(0, 0));
  }
}
