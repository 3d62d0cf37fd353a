package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Numerics;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import org.junit.jupiter.api.Test;

/** Only what decides the bits of a network is in its fingerprint. */
class CpuNumericsTest {
  private static final NetworkSpec NARROW = NetworkSpec.of(Activation.RELU, 3, 8, 1);
  private static final NetworkSpec WIDE = NetworkSpec.of(Activation.RELU, 3, 40, 40, 1);
  private static final TrainingSpec TRAINING = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.1, 1);

  @Test
  void networkComputedByRowsDependsOnVectorsAndNoLibrary() {
    Numerics numerics = numerics(Method.BY_SIZE, 2, NARROW);
    boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    assertTrue(numerics.entries().get("vectors").matches(vectors ? "Vector API, \\d+ bits" : "plain Java"), numerics.toString());
    assertFalse(numerics.entries().containsKey("products"), numerics.toString());
  }

  @Test
  void wideNetworkDependsOnWhatMultipliesMatrices() {
    Numerics numerics = numerics(Method.BY_SIZE, 2, WIDE);
    assertEquals(MatrixProducts.load(note -> {}).library(), numerics.entries().get("products"));
    assertFalse(numerics.entries().containsKey("vectors"), numerics.toString());
    assertEquals("plain Java", numerics(Method.JAVA_PRODUCTS, 2, WIDE).entries().get("products"));
  }

  @Test
  void threadsAreNoPartOfIt() {
    assertEquals(numerics(Method.BY_SIZE, 1, NARROW), numerics(Method.BY_SIZE, 7, NARROW));
    assertEquals(numerics(Method.BY_SIZE, 1, WIDE), numerics(Method.BY_SIZE, 7, WIDE));
  }

  @Test
  void precisionIsPartOfIt() {
    try (CpuBackend backend = new CpuBackend(CpuOptions.standard(), note -> {})) {
      assertEquals(1, backend.numerics(NARROW, TRAINING, 10)
          .differences(backend.numerics(NARROW, TRAINING.withPrecision(Precision.FP32), 10)).size());
    }
  }

  private static Numerics numerics(Method method, int threads, NetworkSpec network) {
    try (CpuBackend backend = new CpuBackend(new CpuOptions(threads, method), note -> {})) {
      return backend.numerics(network, TRAINING, 100);
    }
  }
}
