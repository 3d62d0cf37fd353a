package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Backends;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.bench.TrainingInputs;
import dev.plumb.bench.TrainingInputs.Source;
import dev.plumb.bench.Workload;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.bench.Workload.Unit;
import dev.plumb.cli.BenchCommandTest.Ran;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of {@code plumb bench --device cuda} on the host device, with workloads that take almost no time. */
@Tag("cuda")
@Tag("host-device")
class CudaBenchCommandTest {
  @TempDir
  Path folder;

  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  private static List<Workload> small(boolean reduced) {
    TrainingInputs inputs = new TrainingInputs(NetworkSpec.of(Activation.RELU, 5, 13, 7, 2), Loss.MSE, Source.RANDOM, 9);
    return Stream.of(Precision.FP32, Precision.TF32, Precision.BF16)
        .<Workload>map(precision -> new GpuWorkload("G8", precision.key(), "a few steps" + (reduced ? " (reduced)" : ""), inputs,
            TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(precision), 1, Planner.LAYERED,
            Unit.TERAFLOPS, 3, 4, true))
        .toList();
  }

  private static Ran bench(String... arguments) {
    return BenchCommandTest.run(
        new BenchCommand(new DeviceChoice(Backends::open), BenchCommandTest.SMALL, CudaBenchCommandTest::small), arguments);
  }

  @Test
  void gpuRunsItsOwnWorkloadsAndStudiesAndHostDeviceIsNamed() throws IOException {
    Path file = folder.resolve("bench.json");
    Ran ran = bench("--device", "cuda", "--quick", "--json", file.toString());
    assertEquals(0, ran.code(), ran.err());
    List<String> lines = ran.out().lines().toList();
    String figure = "[0-9.]+ +\\[[0-9.]+, [0-9.]+\\] +";
    for (String row : new String[] {"matrix products: cuBLAS 12.6.0", "GPU: host device \\(CPU, for tests\\)",
        "This is the host device, .* the results say nothing about a GPU\\.",
        "copy of 16 MiB within device memory, read and written +GB/s +- +" + figure,
        "empty kernels, 100 in a graph +us/kernel +- +" + figure,
        "G8, all products of a step, tf32 +TFLOP/s +- +" + figure,
        "G8, all products of a step, bf16 +TFLOP/s +- +" + figure,
        "G8 fp32 +layered +1 +fp32 +TFLOP/s +" + figure + figure + figure + "[0-9.]+ +[0-9.]+",
        "G8 bf16 +layered +1 +bf16 +TFLOP/s +" + figure + figure + figure + "[0-9.]+ +[0-9.]+",
        "S1 +fused +1 +fp64 +s +" + figure + "- +- +- +-",
        "G8: a few steps \\(reduced\\)"}) {
      assertTrue(lines.stream().anyMatch(line -> (line + " ").matches(row + " *")), row + " in\n" + ran.out());
    }
    assertFalse(ran.out().contains("S2"), ran.out());
    assertTrue(ran.err().lines().anyMatch("plumb bench: G8 tf32 on cuda"::equals), ran.err());

    JsonNode written = new ObjectMapper().readTree(file.toFile());
    assertEquals(3, written.get("gpu").get("runs").intValue());
    assertEquals(0, written.get("notMeasured").size());
    assertEquals(4, written.get("workloads").size());
    JsonNode first = written.get("workloads").get(0);
    assertEquals("G8 fp32", first.get("name").textValue());
    assertEquals("G8", first.get("family").textValue());
    assertEquals("cuda", first.get("device").get("kind").textValue());
    assertEquals("layered", first.get("planner").textValue());
    assertEquals(1, first.get("replicas").intValue());
    assertEquals("fp32", first.get("precision").textValue());
    assertEquals("TFLOP/s", first.get("unit").textValue());
    assertEquals("bare products", first.get("bound").textValue());
    assertTrue(first.get("finalLoss").doubleValue() > 0);
    assertEquals(4, first.get("stepsToFinalLoss").intValue());
    for (String key : new String[] {"achieved", "ceiling", "ratio"}) {
      assertEquals(3, first.get(key).get("runs").size());
      assertTrue(first.get(key).get("min").doubleValue() <= first.get(key).get("median").doubleValue());
    }
    JsonNode study = written.get("workloads").get(3);
    assertTrue(study.get("finalLoss").isNull() && study.get("bound").isNull() && study.get("threads").isNull());
    assertEquals("", HostDevice.left());
  }

  @Test
  void cpuWorkloadRunsOnAGpuIfNamed() {
    Ran ran = bench("S2", "--device", "cuda", "--quick", "--quiet");
    assertEquals(0, ran.code(), ran.err());
    assertEquals("", ran.err());
    assertTrue(ran.out().lines().anyMatch(line -> line.matches("S2 +fused +1 +fp32 +samples/s .*")
        || line.matches("S2 +layered +1 +fp32 +samples/s .*")), ran.out());
    assertFalse(ran.out().contains("G8") || ran.out().contains("S1"), ran.out());
  }

  @Test
  void gpuWorkloadIsMeasuredOnlyOnTheGpuByDefault() {
    Ran ran = bench("G8", "--quick");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().contains("G8 fp32"), ran.out());
    assertFalse(ran.out().contains("multiply-add"), ran.out());
  }
}
