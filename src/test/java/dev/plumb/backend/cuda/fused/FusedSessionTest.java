package dev.plumb.backend.cuda.fused;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Kind;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Properties of the fused planner beyond the contract: when it is chosen, and that results do not depend on its blocks. */
@Tag("cuda")
class FusedSessionTest {
  private static final long SEED = 20240607;
  private static final NetworkSpec DEEP = NetworkSpec.of(Activation.TANH, 3, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);

  /**
   * Every activation with every loss, mini-batches and all rows, clipped, half of them with weights of rows; gradients of the last
   * step say most.
   */
  @ParameterizedTest
  @MethodSource("dev.plumb.backend.contract.Contract#optimizers")
  void everyActivationAndLossIsAsTheReferenceHasIt(OptimizerSpec optimizer) {
    StepChunk chunk = StepChunk.of(4).learningRate(0.01)
        .batches(new int[][] {{1, 4, 9, 12, 0}, null, {3}, {7, 8, 2, 6, 5}}).recordAll().build();
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED); Backend oracle = new ReferenceBackend()) {
      for (Activation activation : Activation.values()) {
        for (Loss loss : Loss.values()) {
          NetworkSpec network = NetworkSpec.of(activation, 3, 5, 9, 2);
          TrainingSpec training = TrainingSpec.of(loss, optimizer, 0.01, 1).withClipNorm(0.5);
          Dataset data = data(network, loss, 13);
          if (activation.ordinal() % 2 == loss.ordinal() % 2) {
            data = data.withWeights(RandomWeights.draw(13, new NumpyRandom(SEED)));
          }
          try (TrainingSession fused = started(backend, network, training, data, 1);
              TrainingSession reference = started(oracle, network, training, data, 1)) {
            fused.run(chunk);
            reference.run(chunk);
            String what = activation + ", " + loss + ": ";
            assertRelativeToLargest(what + "losses", flat(reference.sync().loss()), flat(fused.sync().loss()), 1e-12);
            assertRelativeToLargest(what + "gradients", read(reference, Slot.GRADIENTS), read(fused, Slot.GRADIENTS), 1e-11);
            assertRelativeToLargest(what + "parameters", read(reference, Slot.PARAMETERS), read(fused, Slot.PARAMETERS), 1e-11);
          }
        }
      }
    }
  }

  /**
   * Layers of 8 and of 16 units at a time, whole or not, and sums of 15, 13 and 2 terms, of which 8, 4, 2 and 1 are added at a
   * time. Weights are large, so that the functions' branches for large and small numbers are taken.
   */
  @ParameterizedTest
  @EnumSource(value = Precision.class, names = {"FP64", "FP32"})
  void everyShapeOfGroupsIsAsTheReferenceHasIt(Precision precision) {
    double tolerance = precision == Precision.FP64 ? 1e-11 : 2e-4;
    int rows = 37;
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED); Backend oracle = new ReferenceBackend()) {
      for (int i = 0; i < 2 * Activation.values().length; i++) {
        Activation activation = Activation.values()[i / 2];
        NetworkSpec network = NetworkSpec.of(activation, 15, 40, 15, 13, 2);
        TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
        training = activation.ordinal() % 2 == 0 ? training : training.withDropout(new Dropout(0.2, SEED));
        Dataset data = data(network, Loss.MSE, rows);
        data = i % 2 == 0 ? data : data.withWeights(RandomWeights.draw(rows, new NumpyRandom(SEED)));
        double[] weights = Initializer.PYTORCH.draw(network, new NumpyRandom(SEED));
        Arrays.setAll(weights, at -> 6 * weights[at]);
        try (TrainingSession fused = backend.open(network, training.withPrecision(precision), 1);
            TrainingSession reference = oracle.open(network, training, 1)) {
          double[][] predicted = new double[2][rows * 2];
          double[][] deltas = new double[2][rows * 40];
          TrainingSession[] sessions = {reference, fused};
          for (int k = 0; k < 2; k++) {
            sessions[k].write(Slot.PARAMETERS, 0, weights);
            sessions[k].bind(data);
            sessions[k].predict(0, data, predicted[k]);
            sessions[k].run(StepChunk.of(1).learningRate(0.01).recordAll().build());
            ((Tapped) sessions[k]).tap(Tap.DELTA, 0, 0, deltas[k]);
          }
          assertRelativeToLargest(activation + ": predictions", predicted[0], predicted[1], tolerance);
          assertRelativeToLargest(activation + ": delta", deltas[0], deltas[1], tolerance);
          assertRelativeToLargest(activation + ": losses", flat(reference.sync().loss()), flat(fused.sync().loss()), tolerance);
          assertRelativeToLargest(activation + ": gradients", read(reference, Slot.GRADIENTS), read(fused, Slot.GRADIENTS), tolerance);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, names = {"FP64", "FP32"})
  void fusedTrainsAsLayeredDoes(Precision precision) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
    Dataset data = data(DEEP, Loss.MSE, 70);
    double[][] losses = new double[2][];
    double[][] parameters = new double[2][];
    double[][] deltas = new double[2][];
    for (Planner planner : new Planner[] {Planner.LAYERED, Planner.FUSED}) {
      try (CudaBackend backend = CudaUnderTest.open(planner);
          TrainingSession session = started(backend, DEEP, training, data, 1)) {
        session.run(StepChunk.of(40).learningRate(0.01).recordAll().build());
        losses[planner == Planner.FUSED ? 1 : 0] = flat(session.sync().loss());
        parameters[planner == Planner.FUSED ? 1 : 0] = read(session, Slot.PARAMETERS);
        deltas[planner == Planner.FUSED ? 1 : 0] = tap(session, Tap.DELTA, 0, 70);
      }
    }
    double tolerance = precision == Precision.FP64 ? 1e-12 : 1e-4;
    assertRelativeToLargest("losses", losses[0], losses[1], tolerance);
    assertRelativeToLargest("parameters", parameters[0], parameters[1], tolerance);
    assertRelativeToLargest("delta of the last step, before its update", deltas[0], deltas[1], 10 * tolerance);
  }

  @Test
  @Tag("host-device")
  void trainingIsOneLaunchAndNeedsNoCublas() {
    Dataset data = data(DEEP, Loss.MSE, 40);
    try (CudaBackend backend = CudaUnderTest.open(Planner.AUTO);
        TrainingSession session = started(backend, DEEP, SGD, data, 3)) {
      long kernels = HostDevice.count(Counter.KERNELS);
      session.run(StepChunk.of(200).learningRate(0.01).recordAll().build());
      assertEquals(200, session.sync().steps().length);
      assertEquals(kernels + 1, HostDevice.count(Counter.KERNELS));
      session.evaluate(data);
      session.predict(2, data, new double[40]);
      ((Tapped) session).tap(Tap.POST, 1, 2, new double[40 * 8]);
      assertEquals(0, HostDevice.count(Counter.GEMMS), "products");
      assertEquals(0, HostDevice.alive(Kind.CUBLAS_HANDLE), "handles of cuBLAS");
    }
  }

  @Test
  @Tag("host-device")
  void runNeitherWaitsNorAllocates() {
    StepChunk chunk = StepChunk.of(300).learningRate(0.01).build();
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED);
        TrainingSession session = started(backend, NetworkSpec.of(Activation.RELU, 2, 3, 1), SGD,
            data(NetworkSpec.of(Activation.RELU, 2, 3, 1), Loss.MSE, 7), 1)) {
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
      assertEquals(kernels + 2, HostDevice.count(Counter.KERNELS), "one for each half of the table");
    }
  }

  /**
   * A smaller block has shorter tiles, down to one warp's rows, and keeps no data; and five replicas are more than
   * multiprocessors.
   */
  @Test
  @Tag("host-device")
  void howRowsAreCutAndWhereTheyAreDoesNotShow() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    Dataset data = data(DEEP, Loss.MSE, 400);
    double[] alone = trained(0, training, data, 1);
    assertSameBits("one of five", alone, trained(0, training, data, 5));
    int[] rows = {224, 96, 32};
    int[] sharedMemory = {227 << 10, 80_000, 30_000};
    for (int i = 0; i < rows.length; i++) {
      FusedPlan plan = new FusedPlan(DEEP, training, 1, 400, 400, new DeviceLimits(sharedMemory[i], 228 << 10, 1 << 10, 4));
      assertEquals(rows[i], plan.rowsOfTile());
      assertEquals(i < 2, plan.memory().x() >= 0, plan.memory().toString());
      assertSameBits("tiles of " + rows[i], alone, trained(sharedMemory[i], training, data, 1));
    }
  }

  private static double[] trained(int sharedMemory, TrainingSpec training, Dataset data, int replicas) {
    try (CudaBackend backend = open(Planner.FUSED, sharedMemory, new ArrayList<>());
        TrainingSession session = started(backend, DEEP, training, data, replicas)) {
      session.run(StepChunk.of(5).learningRate(0.01).build());
      return read(session, Slot.PARAMETERS);
    }
  }

  /**
   * Sums of segments in the rows of their tile, and in memory of their own: more items than lanes, or several threads per row.
   */
  @ParameterizedTest
  @CsvSource({"8, 8, 4", "8, 11, 4", "17, 2, 4", "1, 3, 31", "31, 1, 1", "33, 3, 7"})
  @Tag("host-device")
  void whereSumsOfSegmentsAreDoesNotShow(int width, int depth, int inputs) {
    List<Integer> widths = new ArrayList<>(Collections.nCopies(depth + 2, width));
    widths.set(0, inputs);
    widths.set(depth + 1, 2);
    NetworkSpec network = new NetworkSpec(widths, Activation.RELU);
    Dataset data = data(network, Loss.CROSS_ENTROPY, 131);
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    int shortest = Math.toIntExact(FusedMemory.of(new FusedLayers(network, Precision.FP64), network, training, 32, 1, 0).bytes());
    double[][] parameters = new double[2][];
    for (int i = 0; i < 2; i++) {
      try (CudaBackend backend = open(Planner.FUSED, i == 0 ? 0 : shortest, new ArrayList<>());
          TrainingSession session = started(backend, network, training, data, 1)) {
        session.run(StepChunk.of(3).learningRate(0.01).build());
        parameters[i] = read(session, Slot.PARAMETERS);
      }
    }
    assertSameBits(network.shape(), parameters[0], parameters[1]);
  }

  @Test
  @Tag("host-device")
  void whatDoesNotFitIsLayeredAndSaysWhyOnce() {
    List<String> notes = new ArrayList<>();
    try (CudaBackend backend = open(Planner.AUTO, 6_800, notes)) {
      for (int i = 0; i < 2; i++) {
        try (TrainingSession session = started(backend, DEEP, SGD, data(DEEP, Loss.MSE, 13), 1)) {
          session.run(StepChunk.of(2).learningRate(0.01).build());
          session.sync();
          assertEquals(Optional.of(Planner.LAYERED), ((PlannedSession) session).planner());
        }
      }
      assertEquals(List.of("3-8-8-8-8-1 is trained by the layered planner instead of the fused one: its parameters, gradients, moments"
          + " and 32 rows of activations take 25280 bytes of shared memory, but a block of this GPU has at most 6800"), notes);
    }
  }

  @Test
  @Tag("host-device")
  void fusedRefusesWhatDoesNotFitAndTensorCorePrecisions() {
    try (CudaBackend backend = open(Planner.FUSED, 6_800, new ArrayList<>())) {
      InvalidInputException refused = assertThrows(InvalidInputException.class, () -> backend.open(DEEP, SGD, 1));
      assertTrue(refused.getMessage().startsWith("the fused planner cannot take 3-8-8-8-8-1: "), refused.getMessage());
      assertTrue(refused.getMessage().contains("6800"), refused.getMessage());
      assertTrue(refused.getMessage().endsWith(": choose the planner auto or layered"), refused.getMessage());
    }
    try (CudaBackend backend = open(Planner.FUSED, 0, new ArrayList<>())) {
      assertTrue(backend.refusal(DEEP, SGD, 1).isEmpty());
      assertTrue(backend.refusal(DEEP, SGD.withPrecision(Precision.TF32), 1).isPresent());
      assertEquals("the fused planner cannot take 3-8-8-8-8-1: the fused planner does not support bf16",
          backend.refusal(DEEP, SGD.withPrecision(Precision.BF16), 1).orElseThrow().reason());
    }
  }

  @Test
  void sessionTellsItsPlanner() {
    for (Planner planner : Planner.values()) {
      try (CudaBackend backend = CudaUnderTest.open(planner);
          TrainingSession session = started(backend, DEEP, SGD, data(DEEP, Loss.MSE, 13), 1)) {
        Planner taken = planner == Planner.LAYERED ? Planner.LAYERED : Planner.FUSED;
        assertEquals(Optional.of(taken), ((PlannedSession) session).planner());
        SortedMap<String, String> numerics = backend.numerics(DEEP, SGD, 13).entries();
        assertEquals(taken.key(), numerics.get("planner"));
        assertEquals(taken == Planner.LAYERED, numerics.containsKey("cuBLAS"), numerics.toString());
        assertTrue(numerics.get("GPU").startsWith(backend.device().name() + ", "), numerics.toString());
        assertTrue(numerics.get("driver").contains("CUDA "), numerics.toString());
      }
    }
  }

  @Test
  @Tag("host-device")
  void autoLeavesToLayersWhatDoesNotFitABlockWhatIsTooMuchForItAndTensorCorePrecisions() {
    NetworkSpec wide = NetworkSpec.of(Activation.RELU, 2, 64, 64, 1);
    List<String> notes = new ArrayList<>();
    try (CudaBackend backend = open(Planner.AUTO, 20_000, notes)) {
      started(backend, DEEP, SGD, data(DEEP, Loss.MSE, 13), 1).close();
    }
    try (CudaBackend backend = open(Planner.AUTO, 0, notes)) {
      started(backend, wide, SGD.withPrecision(Precision.FP32), data(wide, Loss.MSE, 32), 1).close();
      started(backend, wide, SGD.withPrecision(Precision.FP32), data(wide, Loss.MSE, 1000), 1).close();
      started(backend, DEEP, SGD.withPrecision(Precision.TF32), data(DEEP, Loss.MSE, 13), 1).close();
      started(backend, DEEP, SGD.withPrecision(Precision.BF16), data(DEEP, Loss.MSE, 13), 1).close();
    }
    assertEquals(4, notes.size(), notes.toString());
    assertTrue(notes.get(0).endsWith("but a block of this GPU has at most 20000"), notes.get(0));
    assertTrue(notes.get(1).endsWith("a step of 1000 rows has 12.9 million products, which are too many for one block"), notes.get(1));
    assertTrue(notes.get(2).endsWith("the fused planner does not support tf32"), notes.get(2));
    assertTrue(notes.get(3).endsWith("the fused planner does not support bf16"), notes.get(3));
  }

  @Test
  void askingForTheInsideOfAStepChangesNothing() {
    Dataset data = data(DEEP, Loss.MSE, 33);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    StepChunk chunk = StepChunk.of(3).learningRate(0.01).batches(new int[][] {{4, 5}, {9, 1, 0}, {32, 31}}).recordAll().build();
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED);
        TrainingSession asked = started(backend, DEEP, training, data, 2);
        TrainingSession left = started(backend, DEEP, training, data, 2)) {
      for (int i = 0; i < 3; i++) {
        asked.run(chunk);
        left.run(chunk);
        double[] delta = tap(asked, Tap.DELTA, 1, 2);
        tap(asked, Tap.PRE, 0, 2);
        assertSameBits("asked twice", delta, tap(asked, Tap.DELTA, 1, 2));
      }
      assertSameBits("losses", flat(left.sync().loss()), flat(asked.sync().loss()));
      assertSameBits("parameters", read(left, Slot.PARAMETERS), read(asked, Slot.PARAMETERS));
      assertSameBits("gradients", read(left, Slot.GRADIENTS), read(asked, Slot.GRADIENTS));
    }
  }

  private static double[] tap(TrainingSession session, Tap where, int replica, int batch) {
    double[] out = new double[batch * 8];
    ((Tapped) session).tap(where, 2, replica, out);
    return out;
  }

  /** A GPU allocates in larger units. */
  @Test
  @Tag("host-device")
  void sessionIsAsLargeAsTheMemoryThatItTakes() {
    try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
      long before = freeMemory();
      try (TrainingSession session = started(backend, DEEP, SGD, data(DEEP, Loss.MSE, 29), 2)) {
        session.run(StepChunk.of(1).learningRate(0.1).build());
        session.evaluate(data(DEEP, Loss.MSE, 13));
        tap(session, Tap.PRE, 1, 29);
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

  /** @param sharedMemory of a block; 0 for the device's default */
  private static CudaBackend open(Planner planner, int sharedMemory, List<String> notes) {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.sharedMemory(sharedMemory);
    return new CudaBackend(0, new CudaOptions(Execution.GRAPH, true, planner, true), notes::add);
  }

  private static TrainingSession started(
      Backend backend, NetworkSpec network, TrainingSpec training, Dataset data, int replicas) {
    TrainingSession session = backend.open(network, training, replicas);
    for (int replica = 0; replica < replicas; replica++) {
      session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, new NumpyRandom(SEED + replica)));
    }
    session.bind(data);
    return session;
  }

  private static Dataset data(NetworkSpec network, Loss loss, int rows) {
    return RandomData.draw(rows, network, loss, new NumpyRandom(SEED));
  }

  private static double[] read(TrainingSession session, Slot slot) {
    double[] out = new double[session.layout().size()];
    session.read(slot, 0, out);
    return out;
  }

  private static double[] flat(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
  }
}
