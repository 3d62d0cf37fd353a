package dev.plumb.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.MeasuredBound;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.TrainingInputs.Source;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StepsWorkload.Bound;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.bench.Workload.Unit;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudySpec;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests of the GPU's measurements on the host device, whose times mean nothing. */
@Tag("cuda")
@Tag("host-device")
class GpuBenchTest {
  private static final GpuBench.Plan SHORT = new GpuBench.Plan(3, 0, 0, 0, 1 << 20, 10);
  private static final TrainingInputs NOTEBOOK =
      new TrainingInputs(NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 1), Loss.MSE, Source.NOTEBOOK, 33);
  private static final TrainingInputs CLASSES =
      new TrainingInputs(NetworkSpec.of(Activation.RELU, 13, 31, 33, 5), Loss.CROSS_ENTROPY, Source.RANDOM, 65);

  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  private static TrainingSpec training(Loss loss, double learningRate, Precision precision) {
    return TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, learningRate, 1).withPrecision(precision);
  }

  private static GpuWorkload small(String name, Precision precision, int replicas, Planner planner, double learningRate) {
    return new GpuWorkload("S1", name, "small networks", NOTEBOOK, training(Loss.MSE, learningRate, precision), replicas, planner,
        replicas == 1 ? Unit.MICROSECONDS_PER_EPOCH : Unit.NETWORK_EPOCHS, 4, 10, false);
  }

  private static GpuWorkload batches(Precision precision) {
    return new GpuWorkload("S2", precision.key(), "batches of 16", CLASSES,
        training(Loss.CROSS_ENTROPY, 0.05, precision).withBatchSize(16), 1, Planner.LAYERED, Unit.MICROSECONDS_PER_STEP, 5, 5, true);
  }

  private static BenchRecord measured(List<Workload> workloads) {
    BenchRecord record = new BenchRecord();
    try (Backend backend = Backends.open("cuda", Backends.Usage.STANDARD).backend()) {
      new GpuBench(backend, workloads, SHORT, record).measureWorkloads();
    }
    return record;
  }

  @Test
  void finalLossEqualsTheReferencesWithEveryPlanner() {
    List<Workload> workloads = List.of(small("fused", Precision.FP32, 1, Planner.FUSED, 0.01),
        small("layered", Precision.FP32, 1, Planner.LAYERED, 0.01), small("3 fp64", Precision.FP64, 3, Planner.AUTO, 0.01),
        batches(Precision.FP32), batches(Precision.TF32), batches(Precision.BF16));
    Map<Precision, Double> tolerances =
        Map.of(Precision.FP64, 1e-11, Precision.FP32, 1e-5, Precision.TF32, 1e-3, Precision.BF16, 2e-2);
    List<WorkloadResult> results = measured(workloads).workloads;
    assertEquals(workloads, results.stream().map(WorkloadResult::workload).toList());
    Map<String, Double> expected = new HashMap<>();
    try (Backend reference = Backends.reference()) {
      for (Workload workload : workloads) {
        try (WorkloadRun run = workload.open(reference)) {
          expected.put(workload.name(), run.lossAfterFixedSteps().orElseThrow());
        }
      }
    }
    for (WorkloadResult result : results) {
      double loss = expected.get(result.workload().name());
      assertEquals(loss, result.finalLoss().orElseThrow(), tolerances.get(result.workload().precision()) * loss,
          result.workload().name());
    }
    assertEquals(List.of("fused", "layered", "fused", "layered", "layered", "layered"),
        results.stream().map(result -> result.planner().orElseThrow()).toList());
    assertEquals("", HostDevice.left());
  }

  @Test
  void ratioOfEachRunIsThatOfItsSpeedAndCeiling() {
    StepsWorkload steps = new StepsWorkload("S3", "steps", CLASSES.network(),
        training(Loss.CROSS_ENTROPY, 0.05, Precision.FP32).withBatchSize(13), 1, Source.RANDOM, 65, Bound.PRODUCTS, Unit.SAMPLES, 1);
    List<WorkloadResult> results = measured(List.of(batches(Precision.FP32), steps)).workloads;
    assertEquals(2, results.size());
    for (WorkloadResult result : results) {
      MeasuredBound bound = result.bound().orElseThrow();
      assertEquals("bare products", bound.name());
      assertEquals(3, result.achieved().runs().size());
      for (int run = 0; run < 3; run++) {
        double achieved = result.achieved().runs().get(run);
        double ceiling = bound.ceiling().runs().get(run);
        assertTrue(achieved > 0 && ceiling > 0, result.toString());
        double ratio = result.workload().unit() == Unit.SAMPLES ? achieved / ceiling : ceiling / achieved;
        assertEquals(ratio, bound.ratio().runs().get(run), 1e-12 * ratio);
      }
      assertTrue(result.sessionBytes().orElseThrow() > 0);
    }
    assertTrue(results.get(1).finalLoss().isEmpty());
  }

  @Test
  void studyReportsThePlannersOfItsNetworks() {
    StudyWorkload study = new StudyWorkload("study", "a small study", new StudySpec("small", 10, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3), true, List.of(),
        List.of(new StudyNetwork("one", NetworkSpec.of(Activation.TANH, 3, 4, 1)),
            new StudyNetwork("two", NetworkSpec.of(Activation.TANH, 3, 512, 512, 1)))));
    WorkloadResult result = measured(List.of(study)).workloads.get(0);
    assertEquals(Optional.of("fused+layered"), result.planner());
    assertTrue(result.bound().isEmpty() && result.finalLoss().isEmpty());
    assertEquals("", HostDevice.left());
  }

  @Test
  void ceilingsAreCopiesLaunchesAndTheWorkloadsProducts() {
    try (Backend backend = Backends.open("cuda", Backends.Usage.STANDARD).backend()) {
      BenchRecord record = new BenchRecord();
      new GpuBench(backend, List.of(small("fused", Precision.FP32, 1, Planner.FUSED, 0.01), batches(Precision.FP32),
          batches(Precision.TF32)), SHORT, record).measureCeilings();
      Set<String> names = record.ceilings.stream().map(Ceiling::name).collect(Collectors.toSet());
      assertEquals(2 + 4, names.size(), names.toString());
      assertTrue(names.containsAll(Set.of("copy of 1 MiB within device memory, read and written", "empty kernels, 10 in a graph",
          "S2, all products of a step, fp64", "S2, all products of a step, fp32", "S2, all products of a step, tf32",
          "S2, all products of a step, bf16")),
          names.toString());
      for (Ceiling ceiling : record.ceilings) {
        assertEquals(3, ceiling.rate().runs().size());
        assertTrue(ceiling.rate().min() > 0, ceiling.toString());
      }
      assertEquals(record.ceilings.stream().map(Ceiling::name).toList(), record.progress);
    }
    assertEquals("", HostDevice.left());
  }

  @Test
  void workloadsAndCeilingsOfAnUnsupportedPrecisionAreReportedAsNotMeasured() {
    BenchRecord record = new BenchRecord();
    try (Backend backend = Backends.open("cuda", Backends.Usage.STANDARD).backend()) {
      GpuBench bench = new GpuBench(withoutBf16(backend), List.of(batches(Precision.BF16), batches(Precision.FP32)), SHORT, record);
      bench.measureCeilings();
      bench.measureWorkloads();
    }
    assertEquals(List.of("S2, all products of a step, bf16: bf16 is not supported", "S2 bf16: bf16 is not supported"),
        record.notMeasured);
    assertEquals(2 + 3, record.ceilings.size());
    assertEquals(List.of("S2 fp32"), record.workloads.stream().map(result -> result.workload().name()).toList());
    assertEquals("", HostDevice.left());
  }

  /** Returns a backend that refuses bf16, as GPUs before compute capability 8.0 do, also with another planner. */
  private static Backend withoutBf16(Backend backend) {
    return (Backend) Proxy.newProxyInstance(GpuBenchTest.class.getClassLoader(), new Class<?>[] {Backend.class, GpuProbes.class},
        (proxy, method, arguments) -> {
          if (method.getName().equals("refusal") && ((TrainingSpec) arguments[1]).precision() == Precision.BF16) {
            return Optional.of(new Refusal("bf16 is not supported", "use fp32"));
          }
          Object result = method.invoke(backend, arguments);
          return method.getName().equals("withPlanner") ? withoutBf16((Backend) result) : result;
        });
  }

  @Test
  void divergingWorkloadIsReportedAsNotMeasured() {
    BenchRecord record = measured(List.of(small("wild", Precision.FP32, 1, Planner.LAYERED, 1e30),
        small("tame", Precision.FP32, 1, Planner.LAYERED, 0.01)));
    assertEquals(List.of("S1 tame"), record.workloads.stream().map(result -> result.workload().name()).toList());
    assertEquals(1, record.notMeasured.size());
    assertTrue(record.notMeasured.get(0).startsWith("S1 wild: S1 wild diverged in step "), record.notMeasured.toString());
    assertEquals("", HostDevice.left());
  }
}
