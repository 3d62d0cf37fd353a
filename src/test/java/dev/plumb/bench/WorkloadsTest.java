package dev.plumb.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.bench.TrainingInputs.Source;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.bench.Workload.Unit;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests of the GPU's workloads, their inputs and units, and of loops that last a given time. */
class WorkloadsTest {
  private static GpuWorkload line(String name) {
    return (GpuWorkload) Workloads.gpu(false).stream().filter(workload -> workload.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void gpuWorkloadsDoNotChange() {
    assertEquals(List.of("G1 fused", "G1 layered", "G1 sigmoid fused", "G2 1 fp32", "G2 132 fp32", "G2 1024 fp32", "G2 16384 fp32",
        "G2 1 fp64", "G2 132 fp64", "G2 1024 fp64", "G2 16384 fp64", "G3 fp32", "G3 tf32", "G3 bf16", "G4 fp32",
        "G4 tf32", "G4 bf16"),
        Workloads.gpu(false).stream().map(Workload::name).toList());
    assertEquals(List.of(3, 8, 8, 8, 8, 8, 8, 8, 8, 1), line("G1 fused").network().widths());
    assertEquals(Activation.SIGMOID, line("G1 sigmoid fused").network().layer(0).activation());
    assertEquals(400, line("G2 132 fp64").batch());
    assertEquals(Precision.FP64, line("G2 132 fp64").precision());
    assertEquals(16_384, line("G2 16384 fp32").replicas());
    assertEquals(List.of(784, 512, 512, 10), line("G3 tf32").network().widths());
    assertEquals(128, line("G3 tf32").batch());
    assertEquals(80, line("G3 tf32").stepsToLoss());
    assertEquals(line("G3 tf32").network(), line("G3 bf16").network());
    assertEquals(Precision.BF16, line("G4 bf16").precision());
    assertEquals(line("G4 fp32").training().withPrecision(Precision.BF16), line("G4 bf16").training());
    assertEquals(134_217_728, StudyWorkload.weights(line("G4 fp32").network()));
    assertEquals(4096, line("G4 fp32").batch());
  }

  @Test
  void gpuAmountsAreThoseOfALap() {
    assertEquals(1000, line("G1 layered").amount());
    assertEquals(132 * 1000, line("G2 132 fp32").amount());
    assertEquals(800, line("G3 fp32").amount());
    double product = 2.0 * 4096 * 4096 * 4096;
    assertEquals(23 * product, line("G4 fp32").operationsPerStep(), "8 forward, 8 dW, 7 dX");
    assertEquals(2 * 23 * product / 1e12, line("G4 fp32").amount(), 1e-9);
  }

  @Test
  void reducedWorkloadsKeepTheirFamiliesAndDescribeTheirSizes() {
    List<Workload> reduced = Workloads.gpu(true);
    assertEquals(Workloads.gpu(false).size(), reduced.size());
    for (int i = 0; i < reduced.size(); i++) {
      Workload full = Workloads.gpu(false).get(i);
      assertEquals(full.family(), reduced.get(i).family());
      assertFalse(full.description().contains("reduced"), full.description());
      assertEquals(!full.family().equals("G1"), reduced.get(i).description().contains("(reduced; on a GPU: "), reduced.get(i).description());
    }
  }

  @Test
  void timeUnitsAndRateUnitsAreOpposite() {
    assertEquals(500, Unit.MICROSECONDS_PER_STEP.speed(4, 0.002), 1e-9);
    assertEquals(500, Unit.MICROSECONDS_PER_EPOCH.speed(4, 0.002), 1e-9);
    assertEquals(2000, Unit.NETWORK_EPOCHS.speed(4, 0.002), 1e-9);
    assertEquals(2000, Unit.TERAFLOPS.speed(4, 0.002), 1e-9);
  }

  @Test
  void inputsComeFromSeededStreams() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 3, 4, 2);
    TrainingInputs random = new TrainingInputs(network, Loss.MSE, Source.RANDOM, 5);
    NumpyRandom stream = new NumpyRandom(42);
    Dataset data = random.data();
    for (int i = 0; i < 15; i++) {
      assertEquals(stream.standardNormal(), data.feature(i / 3, i % 3));
    }
    assertEquals(stream.standardNormal(), data.target(0, 0), "the stream's cached second normal is used for the targets");
    List<double[]> three = random.initialParameters(3);
    List<double[]> four = random.initialParameters(4);
    assertEquals(4, four.size());
    for (int replica = 0; replica < 3; replica++) {
      assertArrayEquals(Initializer.PYTORCH.draw(network, new NumpyRandom(43 + replica)), three.get(replica));
      assertArrayEquals(three.get(replica), four.get(replica));
    }
    NetworkSpec small = NetworkSpec.of(Activation.RELU, 3, 4, 1);
    assertArrayEquals(Initializer.NOTEBOOK.draw(small, new NumpyRandom(43)),
        new TrainingInputs(small, Loss.MSE, Source.NOTEBOOK, 5).initialParameters(1).get(0));
  }

  @Test
  void continuousLoopRepeatsUntilItIsLongEnough() {
    List<Integer> calls = new ArrayList<>();
    TimedLoop.Continuous once = new TimedLoop.Continuous(calls::add, 0);
    once.warmUp(0);
    assertTrue(once.seconds() >= 0);
    assertEquals(List.of(1, 1), calls);

    calls.clear();
    double minSeconds = 0.002;
    TimedLoop.Continuous longer = new TimedLoop.Continuous(times -> {
      calls.add(times);
      for (long end = System.nanoTime() + times * 10_000L; System.nanoTime() < end; ) {
        Thread.onSpinWait();
      }
    }, minSeconds);
    longer.warmUp(0);
    double seconds = longer.seconds();
    int last = calls.get(calls.size() - 1);
    assertTrue(last > 1 && seconds * last >= 0.999 * minSeconds, calls + ", " + seconds);
    assertTrue(Stream.iterate(1, i -> i < calls.size(), i -> i + 1).allMatch(i -> calls.get(i) <= 16 * calls.get(i - 1)), calls.toString());
  }
}
