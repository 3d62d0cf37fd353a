package dev.plumb.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.bench.StepsWorkload.Source;
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

/** The GPU's workloads, which stay as they are, and how measurements are made long enough. */
class GpuWorkloadTest {
  private static GpuWorkload line(String name) {
    return (GpuWorkload) Workloads.gpu(false).stream().filter(workload -> workload.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void gpuWorkloadsAreTheFixedOnes() {
    assertEquals(List.of("G1 fused", "G1 layered", "G1 sigmoid fused", "G2 1 fp32", "G2 132 fp32", "G2 1024 fp32", "G2 16384 fp32",
        "G2 1 fp64", "G2 132 fp64", "G2 1024 fp64", "G2 16384 fp64", "G3 fp32", "G3 tf32", "G4 fp32", "G4 tf32"),
        Workloads.gpu(false).stream().map(Workload::name).toList());
    assertEquals(List.of(3, 8, 8, 8, 8, 8, 8, 8, 8, 1), line("G1 fused").network().widths());
    assertEquals(Activation.SIGMOID, line("G1 sigmoid fused").network().layer(0).activation());
    assertEquals(400, line("G2 132 fp64").batch());
    assertEquals(Precision.FP64, line("G2 132 fp64").precision());
    assertEquals(16_384, line("G2 16384 fp32").replicas());
    assertEquals(List.of(784, 512, 512, 10), line("G3 tf32").network().widths());
    assertEquals(128, line("G3 tf32").batch());
    assertEquals(80, line("G3 tf32").stepsToLoss());
    assertEquals(134_217_728, StudyWorkload.weights(line("G4 fp32").network()));
    assertEquals(4096, line("G4 fp32").batch());
  }

  @Test
  void amountsAreThoseOfALap() {
    assertEquals(1000, line("G1 layered").amount());
    assertEquals(132 * 1000, line("G2 132 fp32").amount());
    assertEquals(800, line("G3 fp32").amount());
    double product = 2.0 * 4096 * 4096 * 4096;
    assertEquals(23 * product, line("G4 fp32").operationsOfStep(), "8 forward, 8 dW, 7 dX");
    assertEquals(2 * 23 * product / 1e12, line("G4 fp32").amount(), 1e-9);
  }

  @Test
  void reducedWorkloadsKeepTheirFamiliesAndSayTheirSizes() {
    List<Workload> reduced = Workloads.gpu(true);
    assertEquals(Workloads.gpu(false).size(), reduced.size());
    for (int i = 0; i < reduced.size(); i++) {
      Workload full = Workloads.gpu(false).get(i);
      assertEquals(full.family(), reduced.get(i).family());
      assertFalse(full.what().contains("reduced"), full.what());
      assertEquals(!full.family().equals("G1"), reduced.get(i).what().contains("(reduced; on a GPU: "), reduced.get(i).what());
    }
  }

  @Test
  void unitsThatAreTimesGrowWithTheSeconds() {
    assertEquals(500, Unit.MICROSECONDS_PER_STEP.speed(4, 0.002), 1e-9);
    assertEquals(500, Unit.MICROSECONDS_PER_EPOCH.speed(4, 0.002), 1e-9);
    assertEquals(2000, Unit.NETWORK_EPOCHS.speed(4, 0.002), 1e-9);
    assertEquals(2000, Unit.TERAFLOPS.speed(4, 0.002), 1e-9);
  }

  @Test
  void inputsAreThoseOfTheirStreams() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 3, 4, 2);
    TrainingInputs random = new TrainingInputs(network, Loss.MSE, Source.RANDOM, 5);
    NumpyRandom stream = new NumpyRandom(42);
    Dataset data = random.data();
    for (int i = 0; i < 15; i++) {
      assertEquals(stream.standardNormal(), data.feature(i / 3, i % 3));
    }
    assertEquals(stream.standardNormal(), data.target(0, 0), "the spare normal goes from X to Y");
    List<double[]> three = random.firstParameters(3);
    List<double[]> four = random.firstParameters(4);
    assertEquals(4, four.size());
    for (int replica = 0; replica < 3; replica++) {
      assertArrayEquals(Initializer.PYTORCH.draw(network, new NumpyRandom(43 + replica)), three.get(replica));
      assertArrayEquals(three.get(replica), four.get(replica));
    }
    NetworkSpec small = NetworkSpec.of(Activation.RELU, 3, 4, 1);
    assertArrayEquals(Initializer.NOTEBOOK.draw(small, new NumpyRandom(43)),
        new TrainingInputs(small, Loss.MSE, Source.NOTEBOOK, 5).firstParameters(1).get(0));
  }

  @Test
  void workIsRepeatedUntilItIsLongEnough() {
    List<Integer> calls = new ArrayList<>();
    RepeatedWork once = new RepeatedWork(calls::add, 0);
    once.warmUp(0);
    assertTrue(once.seconds() >= 0);
    assertEquals(List.of(1, 1), calls);

    calls.clear();
    double least = 0.002;
    RepeatedWork longer = new RepeatedWork(times -> {
      calls.add(times);
      for (long end = System.nanoTime() + times * 10_000L; System.nanoTime() < end; ) {
        Thread.onSpinWait();
      }
    }, least);
    longer.warmUp(0);
    double seconds = longer.seconds();
    int last = calls.get(calls.size() - 1);
    assertTrue(last > 1 && seconds * last >= 0.999 * least, calls + ", " + seconds);
    assertTrue(Stream.iterate(1, i -> i < calls.size(), i -> i + 1).allMatch(i -> calls.get(i) <= 16 * calls.get(i - 1)), calls.toString());
  }
}
