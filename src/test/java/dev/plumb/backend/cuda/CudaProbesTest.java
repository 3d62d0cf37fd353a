package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.GpuProbes.Probe;
import dev.plumb.backend.GpuProbes.Products;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.data.NotebookData;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The work by which a GPU's ceilings are measured, and a backend with another planner. */
@Tag("cuda")
@Tag("host-device")
class CudaProbesTest {
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.RELU, 7, 33, 13, 2);
  private static final TrainingSpec TRAINING = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);

  @AfterEach
  void everythingIsGivenBack() {
    assertEquals("", HostDevice.left());
    HostDevice.reset();
  }

  @Test
  void copiesCountWhatTheyReadAndWrite() {
    try (CudaBackend backend = CudaUnderTest.open(); Probe copies = backend.copies(1 << 21)) {
      assertEquals(2.0 * (1 << 21), copies.amount());
      copies.run(1);
      long first = HostDevice.count(Counter.COPIES);
      copies.run(1);
      long second = HostDevice.count(Counter.COPIES);
      copies.run(4);
      assertEquals(3, HostDevice.count(Counter.COPIES) - second - (second - first), "guards are read once per run");
    }
  }

  @Test
  void copiesAreSmallerWhereMemoryIsShort() {
    try (CudaBackend backend = CudaUnderTest.open()) {
      HostDevice.fault(Fault.MEMORY, 1);
      try (Probe copies = backend.copies(1 << 22)) {
        assertEquals(2.0 * (1 << 21), copies.amount());
      }
    }
  }

  @Test
  void emptyKernelsAreOneGraph() {
    try (CudaBackend backend = CudaUnderTest.open(); Probe kernels = backend.emptyKernels(17)) {
      assertEquals(17, kernels.amount());
      long before = HostDevice.count(Counter.KERNELS);
      long graphs = HostDevice.count(Counter.GRAPH_LAUNCHES);
      kernels.run(2);
      assertEquals(2 * 17, HostDevice.count(Counter.KERNELS) - before);
      assertEquals(2, HostDevice.count(Counter.GRAPH_LAUNCHES) - graphs);
    }
  }

  @Test
  void productsAreThoseOfAStep() {
    double ofWeights = 2.0 * 31 * (7 * 33 + 33 * 13 + 13 * 2);
    double ofInputs = 2.0 * 31 * (33 * 13 + 13 * 2);
    for (Precision precision : Precision.values()) {
      assertProducts(precision, EnumSet.of(Products.FORWARD), ofWeights, 3);
      assertProducts(precision, EnumSet.of(Products.INPUT_GRADIENTS), ofInputs, 2);
      assertProducts(precision, EnumSet.of(Products.WEIGHT_GRADIENTS), ofWeights, 3);
      assertProducts(precision, EnumSet.allOf(Products.class), 2 * ofWeights + ofInputs, 8);
    }
  }

  /** Small products are repeated in a graph. */
  private static void assertProducts(Precision precision, Set<Products> kinds, double operations, int products) {
    try (CudaBackend backend = CudaUnderTest.open(); Probe probe = backend.products(NETWORK, precision, 31, kinds)) {
      double steps = probe.amount() / operations;
      assertEquals(32, steps, precision + " " + kinds);
      long before = HostDevice.count(Counter.GEMMS);
      probe.run(2);
      assertEquals(2 * 32 * products, HostDevice.count(Counter.GEMMS) - before, precision + " " + kinds);
    }
  }

  @Test
  void anotherPlannerSharesTheDeviceAndLeavesItOpen() {
    try (CudaBackend backend = CudaUnderTest.open(Planner.AUTO)) {
      for (Planner planner : Planner.values()) {
        try (Backend other = backend.withPlanner(planner)) {
          assertEquals(planner == Planner.LAYERED ? Planner.LAYERED : Planner.FUSED, plannerOf(other));
        }
      }
      assertEquals(Planner.FUSED, plannerOf(backend));
      assertTrue(backend.library().startsWith("cuBLAS "), backend.library());
      assertTrue(backend.isStandIn());
    }
  }

  private static Planner plannerOf(Backend backend) {
    try (TrainingSession session = backend.open(NetworkSpec.of(Activation.RELU, 3, 8, 1), TRAINING, 2)) {
      session.bind(NotebookData.draw(7, new NumpyRandom(42)));
      return ((PlannedSession) session).planner().orElseThrow();
    }
  }

  @Test
  void twoBackendsOnOneDeviceAtOnce() {
    try (CudaBackend first = CudaUnderTest.open(Planner.FUSED);
        CudaBackend second = new CudaBackend(0, new CudaOptions(CudaOptions.Execution.GRAPH, true, Planner.LAYERED, true))) {
      assertEquals(Planner.FUSED, plannerOf(first));
      assertEquals(Planner.LAYERED, plannerOf(second));
      assertEquals(Planner.FUSED, plannerOf(first));
    }
  }
}
