package dev.plumb.backend.cuda;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Normalizations and residual connections in the layered planner, compared with the reference. */
@Tag("cuda")
class CudaNormalizationTest {
  private static final long SEED = 20240607;
  /**
   * Bounds relative to the largest number. In the gradient of b before a batch normalization only rounding is left, which Adam divides
   * by itself plus 1e-8; running means contain b.
   */
  private static final double DOUBLE_ROUNDING = 1e-8;
  private static final double SINGLE_ROUNDING = 2e-4;
  /** Gradients of a tensor, relative to the largest of all, that may be mostly rounding. */
  private static final double SMALL = 1e-2;
  private static final Normalization[] NORMALIZATIONS = Normalization.values();

  /** A training and its batches; batches of 0 rows are all rows in their own order. */
  private record Case(NetworkSpec network, TrainingSpec training, int rows, boolean weighted, double rate, int... batches) {
    @Override
    public String toString() {
      return network + ", " + training.precision().key() + ", " + training.optimizer().kind().key() + ", clip norm "
          + training.clipNorm() + ", " + training.dropout() + ", weighted " + weighted + ", batches " + Arrays.toString(batches);
    }

    double rounding() {
      return training.precision() == Precision.FP64 ? DOUBLE_ROUNDING : SINGLE_ROUNDING;
    }

    Dataset data() {
      Dataset data = RandomData.draw(rows, network, training.loss(), new NumpyRandom(SEED));
      return weighted ? data.withWeights(RandomWeights.draw(rows, new NumpyRandom(SEED + 1))) : data;
    }

    StepChunk chunk() {
      NumpyRandom stream = new NumpyRandom(SEED);
      StepChunk.Builder chunk = StepChunk.of(batches.length).learningRate(rate).recordAll();
      return batches[0] == 0 ? chunk.build() : chunk.batches(Arrays.stream(batches)
          .mapToObj(size -> Arrays.copyOf(stream.permutation(rows), size)).toArray(int[][]::new)).build();
    }

    int lastBatch() {
      int last = batches[batches.length - 1];
      return last == 0 ? rows : last;
    }
  }

  private static Stream<OptimizerSpec> optimizers() {
    return Stream.of(OptimizerSpec.Sgd.DEFAULT, new OptimizerSpec.Sgd(0.9, true, 0.01), OptimizerSpec.Adam.DEFAULT,
        OptimizerSpec.Adam.DEFAULT_W, OptimizerSpec.RmsProp.DEFAULT);
  }

  private static List<NetworkSpec> variants(NetworkSpec plain) {
    List<NetworkSpec> variants = new ArrayList<>();
    for (Normalization normalization : NORMALIZATIONS) {
      for (boolean residual : new boolean[] {false, true}) {
        NetworkSpec network = plain.withNormalization(normalization).withResidual(residual);
        if (!network.isPlain()) {
          variants.add(network);
        }
      }
    }
    return variants;
  }

  private static List<NetworkSpec> residual(NetworkSpec plain) {
    return variants(plain).stream().filter(NetworkSpec::residual).toList();
  }

  private static TrainingSpec training(Loss loss, OptimizerSpec optimizer, Precision precision) {
    return TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(precision);
  }

  /** Returns parameters of which none is 0 or 1. */
  private static double[] parameters(NetworkSpec network, long seed) {
    NumpyRandom stream = new NumpyRandom(seed);
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      boolean positive = slice.kind() == Kind.SCALE || slice.kind() == Kind.RUNNING_VARIANCE;
      if (slice.kind() != Kind.WEIGHT && slice.kind() != Kind.BIAS) {
        stream.uniform(positive ? 0.5 : -0.5, positive ? 1.5 : 0.5, parameters, slice.offset(), slice.size());
      }
    }
    return parameters;
  }

  private static TrainingSession started(Backend backend, Case of) {
    TrainingSession session = backend.open(of.network, of.training, 1);
    session.write(Slot.PARAMETERS, 0, parameters(of.network, SEED));
    session.bind(of.data());
    return session;
  }

  private static double[] read(TrainingSession session, Slot slot, int replica) {
    double[] values = new double[session.layout().size()];
    session.read(slot, replica, values);
    return values;
  }

  private static double[] slice(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }

  private static void assertLikeReference(Case of) {
    try (CudaBackend backend = CudaUnderTest.open()) {
      assertLikeReference(backend, of);
    }
  }

  private static void assertLikeReference(CudaBackend backend, Case of) {
    try (TrainingSession cuda = started(backend, of); TrainingSession reference = started(new ReferenceBackend(), of)) {
      cuda.run(of.chunk());
      reference.run(of.chunk());
      assertRelativeToLargest(of + ": losses", TrainingResult.flat(reference.sync().loss()), TrainingResult.flat(cuda.sync().loss()),
          of.rounding());
      for (int layer = 0; layer < of.network.layerCount(); layer++) {
        for (Tap tap : Tap.of(of.network.layer(layer))) {
          double[] expected = new double[of.lastBatch() * of.network.layer(layer).out()];
          double[] actual = new double[expected.length];
          ((Tapped) reference).tap(tap, layer, 0, expected);
          ((Tapped) cuda).tap(tap, layer, 0, actual);
          assertRelativeToLargest(of + ": " + tap + " of layer " + layer, expected, actual, of.rounding());
        }
      }
      assertVectorsAgree(of, reference, cuda);
      Dataset other = RandomData.draw(17, of.network, of.training.loss(), new NumpyRandom(SEED + 2));
      assertRelativeToLargest(of + ": evaluation", reference.evaluate(other).loss(), cuda.evaluate(other).loss(), of.rounding());
      double[] expected = new double[17 * of.network.outputs()];
      double[] actual = new double[expected.length];
      reference.predict(0, other, expected);
      cuda.predict(0, other, actual);
      assertRelativeToLargest(of + ": outputs", expected, actual, of.rounding());
    }
  }

  /**
   * Tensors of small gradients are only compared with the largest of all: those before a batch normalization may cancel, and then only
   * rounding is left.
   */
  private static void assertVectorsAgree(Case of, TrainingSession reference, TrainingSession cuda) {
    double[] gradients = read(reference, Slot.GRADIENTS, 0);
    for (Slot slot : new Slot[] {Slot.GRADIENTS, Slot.PARAMETERS}) {
      double[] expected = read(reference, slot, 0);
      double[] actual = read(cuda, slot, 0);
      assertRelativeToLargest(of + ": " + slot, expected, actual, of.rounding());
      for (ParameterLayout.Slice slice : cuda.layout().slices()) {
        if (largest(slice(gradients, slice)) > SMALL * largest(gradients) || !slice.kind().isTrained()) {
          assertRelativeToLargest(of + ": " + slot + ", " + slice.name(), slice(expected, slice), slice(actual, slice), of.rounding());
        }
      }
    }
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElse(0);
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void stepsAreThoseOfTheReferenceWithEveryOptimizer(OptimizerSpec optimizer) {
    for (NetworkSpec network : variants(NetworkSpec.of(Activation.TANH, 5, 7, 7, 7, 3))) {
      TrainingSpec training = training(Loss.CROSS_ENTROPY, optimizer, Precision.FP64);
      assertLikeReference(new Case(network, training, 33, false, 0.01, 7, 13, 7, 7, 7, 7, 13));
      assertLikeReference(new Case(network, training.withClipNorm(0.05), 33, true, 0.01, 7, 13, 7));
      assertLikeReference(new Case(network, training.withDropout(new Dropout(0.3, SEED)), 33, true, 0.01, 0, 0, 0));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "TF32"})
  void stepsAreThoseOfTheReferenceInSinglePrecision(Precision precision) {
    for (NetworkSpec network : variants(NetworkSpec.of(Activation.SILU, 6, 6, 13, 13, 2))) {
      TrainingSpec training = training(Loss.MSE, new OptimizerSpec.Sgd(0.9, false, 0.01), precision).withClipNorm(0.1);
      Case of = new Case(network, training.withDropout(new Dropout(0.3, SEED)), 65, true, 0.01, 33, 33, 13);
      if (precision == Precision.FP32) {
        assertLikeReference(of);
      } else {
        assertLossesOfTf32(of);
      }
    }
  }

  /** The factors of products have 10 bits after the leading one. */
  private static void assertLossesOfTf32(Case of) {
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = started(backend, of); TrainingSession reference = started(new ReferenceBackend(), of)) {
      cuda.run(of.chunk());
      reference.run(of.chunk());
      assertRelativeToLargest(of + ": losses", TrainingResult.flat(reference.sync().loss()), TrainingResult.flat(cuda.sync().loss()), 5e-3);
      assertRelativeToLargest(of + ": parameters", read(reference, Slot.PARAMETERS, 0), read(cuda, Slot.PARAMETERS, 0), 5e-3);
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void derivativesAreThoseOfEveryActivation(Activation activation) {
    for (NetworkSpec network : variants(NetworkSpec.of(activation, 3, 3, 5, 5, 1))) {
      for (Precision precision : new Precision[] {Precision.FP64, Precision.FP32}) {
        assertLikeReference(new Case(network, training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, precision), 31, false, 0.01, 0));
      }
    }
  }

  /** The first layer is residual where inputs equal units. From 257 rows on there are several segments. */
  @ParameterizedTest
  @CsvSource({
    "1 1 1, 2", "2 2 1, 3", "1 2 2 1, 7", "3 3 3, 33", "7 13 13 3, 257", "31 31 1, 33", "33 33 33 2, 7", "2 65 65 1, 257", "129 129 1, 33",
    "3 129 2, 2", "13 7 7 7 13, 600",
  })
  void irregularSizesAreThoseOfTheReference(String widths, int batch) {
    int[] units = Arrays.stream(widths.split(" ")).mapToInt(Integer::parseInt).toArray();
    for (NetworkSpec network : variants(NetworkSpec.of(Activation.GELU, units))) {
      TrainingSpec training = training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, Precision.FP64);
      assertLikeReference(new Case(network, training, batch + 3, false, 0.01, batch, batch));
      assertLikeReference(new Case(network, training.withDropout(new Dropout(0.5, SEED)), batch, false, 0.01, 0));
      // In groups of few numbers almost all of dLoss/dZ cancels.
      if (batch > 3 && Arrays.stream(units, 1, units.length - 1).min().orElseThrow() > 3) {
        assertLikeReference(new Case(network, training.withPrecision(Precision.FP32), batch, false, 0.01, 0, 0));
      }
    }
  }

  /** Without hidden layers there is nothing to normalize. */
  @Test
  void networkWithoutHiddenLayersIsTrained() {
    for (Normalization normalization : NORMALIZATIONS) {
      NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 2).withNormalization(normalization).withResidual(true);
      assertLikeReference(new Case(network, training(Loss.MSE, OptimizerSpec.Adam.DEFAULT, Precision.FP64), 13, false, 0.1, 7, 7));
    }
  }

  /** Without updates, too. */
  @Test
  void runningStatisticsFollowEveryStep() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 7, 2).withNormalization(Normalization.BATCH);
    Case of = new Case(network, training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, Precision.FP64), 31, false, 0, 13, 13, 13);
    assertLikeReference(of);
    try (CudaBackend backend = CudaUnderTest.open(); TrainingSession session = started(backend, of)) {
      double[] before = read(session, Slot.PARAMETERS, 0);
      assertArrayEquals(parameters(network, SEED), before);
      session.run(of.chunk());
      session.sync();
      double[] after = read(session, Slot.PARAMETERS, 0);
      int trained = session.layout().trainedSize();
      assertSameBits("trained parameters", Arrays.copyOf(before, trained), Arrays.copyOf(after, trained));
      for (int i = trained; i < before.length; i++) {
        assertTrue(before[i] != after[i], "running statistic " + (i - trained));
      }
    }
  }

  /** An optimizer's vectors have no running statistics, whatever is written. */
  @Test
  void gradientsOfRunningStatisticsAreZero() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 7, 2).withNormalization(Normalization.BATCH);
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession session = backend.open(network, training(Loss.MSE, OptimizerSpec.Adam.DEFAULT, Precision.FP64), 2)) {
      double[] ones = new double[session.layout().size()];
      Arrays.fill(ones, 1);
      session.write(Slot.MOMENT1, 1, ones);
      Arrays.fill(ones, session.layout().trainedSize(), ones.length, 0);
      assertArrayEquals(ones, read(session, Slot.MOMENT1, 1));
      assertArrayEquals(new double[ones.length], read(session, Slot.MOMENT1, 0));
    }
  }

  private static Case varied(NetworkSpec network, Precision precision) {
    // With a small epsilon, the rounding of a gradient that is mathematically 0 would become whole steps.
    OptimizerSpec adam = new OptimizerSpec.Adam(0.9, 0.999, 1e-2, 0, false);
    TrainingSpec training = training(Loss.CROSS_ENTROPY, adam, precision).withClipNorm(0.5);
    return new Case(network, training.withDropout(new Dropout(0.3, SEED)), 300, true, 0.01, 260, 7, 7, 7, 7, 7, 13);
  }

  private static TrainingResult trained(CudaBackend opened, Case of, int replicas) {
    try (CudaBackend backend = opened) {
      if (CudaUnderTest.isHostDevice()) {
        HostDevice.arithmetic(false, 0);
      }
      return trained(backend, of.network, of.training, of, replicas, 0);
    }
  }

  private static TrainingResult trained(Backend backend, NetworkSpec network, TrainingSpec training, Case of, int replicas, int first) {
    try (TrainingSession session = backend.open(network, training, replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        session.write(Slot.PARAMETERS, replica, parameters(network, SEED + first + replica));
      }
      session.bind(of.data());
      session.run(of.chunk());
      return TrainingResult.of(session, training);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32"})
  @Tag("host-device")
  void everyExecutionAndOrderGivesTheSameBits(Precision precision) {
    for (NetworkSpec network : residual(NetworkSpec.of(Activation.SILU, 5, 33, 33, 3))) {
      Case of = varied(network, precision);
      TrainingResult expected = trained(CudaUnderTest.open(Execution.EAGER, Order.FORWARD), of, 2);
      expected.assertSame(network + ", graphs", trained(CudaUnderTest.open(Execution.GRAPH, Order.FORWARD), of, 2));
      expected.assertSame(network + ", checked", trained(CudaUnderTest.open(Execution.CHECKED, Order.FORWARD), of, 2));
      expected.assertSame(network + ", reverse order", trained(CudaUnderTest.open(Execution.GRAPH, Order.REVERSE), of, 2));
      expected.assertSame(network + ", random order", trained(CudaUnderTest.open(Execution.EAGER, Order.RANDOM), of, 2));
      expected.assertSame(network + ", one block", trained(CudaUnderTest.openWithOneBlock(Order.FORWARD, Planner.LAYERED), of, 2));
    }
  }

  /** The host device's other roundings are those that a GPU's compiler may choose. */
  @ParameterizedTest
  @EnumSource(names = {"REVERSE", "RANDOM"})
  @Tag("host-device")
  void otherRoundingsAreThoseOfTheReference(Order order) {
    for (NetworkSpec network : variants(NetworkSpec.of(Activation.SOFTPLUS, 5, 33, 33, 3))) {
      for (Precision precision : new Precision[] {Precision.FP64, Precision.FP32}) {
        try (CudaBackend backend = CudaUnderTest.open(Execution.GRAPH, order)) {
          assertLikeReference(backend, new Case(network, training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, precision), 40, false, 0.01, 33, 33));
        }
      }
    }
  }

  /** Except for rounding: cuBLAS adds a batch of products in another order than a single one. */
  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32"})
  void replicasAreAsAlone(Precision precision) {
    int replicas = 3;
    for (NetworkSpec network : residual(NetworkSpec.of(Activation.TANH, 5, 9, 9, 3))) {
      Case of = varied(network, precision);
      try (CudaBackend backend = CudaUnderTest.open()) {
        TrainingResult together = trained(backend, network, of.training, of, replicas, 0);
        int size = ParameterLayout.of(network).size();
        for (int replica = 0; replica < replicas; replica++) {
          TrainingSpec training = of.training.withDropout(new Dropout(0.3, SEED + replica));
          TrainingResult alone = trained(backend, network, training, of, 1, replica);
          assertRelativeToLargest(network + ", parameters of replica " + replica, alone.parameters(),
              Arrays.copyOfRange(together.parameters(), replica * size, (replica + 1) * size), of.rounding());
          assertRelativeToLargest(network + ", gradients of replica " + replica, alone.gradients(),
              Arrays.copyOfRange(together.gradients(), replica * size, (replica + 1) * size), of.rounding());
        }
      }
    }
  }

  /** Replicas predict with their own running statistics, in blocks of rows. */
  @ParameterizedTest
  @EnumSource(Normalization.class)
  void everyReplicaPredictsWithItsOwnParameters(Normalization normalization) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 3, 5, 5, 2).withNormalization(normalization).withResidual(true);
    TrainingSpec training = training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, Precision.FP64);
    Dataset data = RandomData.draw(1100, network, Loss.MSE, new NumpyRandom(SEED));
    try (CudaBackend backend = CudaUnderTest.open();
        TrainingSession cuda = backend.open(network, training, 3);
        TrainingSession reference = new ReferenceBackend().open(network, training, 3)) {
      for (int replica = 0; replica < 3; replica++) {
        cuda.write(Slot.PARAMETERS, replica, parameters(network, SEED + replica));
        reference.write(Slot.PARAMETERS, replica, parameters(network, SEED + replica));
      }
      assertRelativeToLargest("losses", reference.evaluate(data).loss(), cuda.evaluate(data).loss(), 1e-12);
      for (int replica = 0; replica < 3; replica++) {
        double[] expected = new double[data.rows() * network.outputs()];
        double[] actual = new double[expected.length];
        reference.predict(replica, data, expected);
        cuda.predict(replica, data, actual);
        assertRelativeToLargest("outputs of replica " + replica, expected, actual, 1e-12);
      }
    }
  }

  @Test
  void bf16AndTheFusedPlannerAreRefused() {
    for (NetworkSpec network : variants(NetworkSpec.of(Activation.TANH, 3, 3, 1))) {
      TrainingSpec training = training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, Precision.BF16);
      try (CudaBackend backend = CudaUnderTest.open()) {
        assertEquals("precision bf16 does not support normalization and residual connections: use fp32 or tf32",
            assertThrows(InvalidInputException.class, () -> backend.open(network, training, 1)).getMessage());
      }
      try (CudaBackend backend = CudaUnderTest.open(Planner.FUSED)) {
        String refusal = assertThrows(InvalidInputException.class,
            () -> backend.open(network, training.withPrecision(Precision.FP32), 1)).getMessage();
        assertTrue(refusal.startsWith("the fused planner cannot take 3-3-1: the fused planner does not support "), refusal);
      }
    }
  }
}
