package dev.plumb.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.MeasuredBound;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.CpuBench.BenchTarget;
import dev.plumb.bench.TrainingInputs.Source;
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
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CpuBenchTest {
  private static final int PAUSE_MILLIS = 30;
  private static final CpuBench.Plan SHORT = new CpuBench.Plan(3, 0, true, 0.001, 8, 1 << 12);
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.RELU, 5, 70, 60, 3);

  private static StepsWorkload steps(Bound bound, Unit unit, double learningRate) {
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT, learningRate, 4)
        .withBatchSize(8).withPrecision(Precision.FP32);
    return new StepsWorkload("steps", "small steps", NETWORK, training, 2, Source.RANDOM, 20, bound, unit, 2);
  }

  private static StudyWorkload study() {
    return new StudyWorkload("study", "a small study", new StudySpec("small", 10, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3), true, List.of(),
        List.of(new StudyNetwork("one", NetworkSpec.of(Activation.TANH, 3, 4, 1)),
            new StudyNetwork("two", NetworkSpec.of(Activation.TANH, 3, 2, 2, 1)))));
  }

  private static Backend cpu(int threads) {
    return Backends.open("cpu", new Backends.Usage(true, dev.plumb.backend.Planner.AUTO, OptionalInt.of(threads), note -> {})).backend();
  }

  // Amounts of work

  @Test
  void amountsAreThoseOfWholeRuns() {
    int parameters = 6 * 70 + 71 * 60 + 61 * 3;
    int weights = 5 * 70 + 70 * 60 + 60 * 3;
    assertEquals(20 * 4 * 2, steps(Bound.PRODUCTS, Unit.SAMPLES, 0).amount());
    assertEquals(6e-9 * parameters * 20 * 4 * 2, steps(Bound.PRODUCTS, Unit.GIGAFLOPS, 0).amount(), 1e-12);
    assertEquals(2, steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0).amount());
    assertEquals(6.0 * weights * 20 * 2 * 2, steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0).operationsPerLap());
    assertEquals(6.0 * ((12 + 4) + (6 + 4 + 2)) * 10 * 3, study().operations());
  }

  @Test
  void lapsDivideARunEqually() {
    assertEquals(2 * 3, steps(Bound.PRODUCTS, Unit.SAMPLES, 0).stepsPerLap());
    StepsWorkload uneven = steps(Bound.PRODUCTS, Unit.SAMPLES, 0);
    assertThrows(IllegalArgumentException.class, () -> new StepsWorkload("w", "w", NETWORK, uneven.training(), 1,
        Source.RANDOM, 20, Bound.PRODUCTS, Unit.SAMPLES, 3));
  }

  @Test
  void standardWorkloadsDoNotChange() {
    List<Workload> standard = Workloads.standard();
    assertEquals(List.of("W1", "W2", "W3", "W4"), standard.stream().map(Workload::name).toList());
    assertEquals(StudySpec.notebook(), ((StudyWorkload) standard.get(0)).spec());
    assertEquals(51_200, standard.get(1).amount());
    assertEquals(6e-9 * (1025.0 * 2048 + 2049.0 * 2048 + 2049.0 * 1024) * 256 * 40, standard.get(2).amount(), 1e-6);
    assertEquals(256, standard.get(3).amount());
    assertEquals(6.0 * (3 * 8 + 3 * 64 + 8) * 400 * 1000 * 256, ((StepsWorkload) standard.get(3)).operationsPerLap()
        * standard.get(3).laps());
  }

  // Measurements

  @Test
  void ratioOfEachRunIsThatOfItsSpeedAndCeiling() {
    try (Backend one = cpu(1); Backend two = cpu(2)) {
      List<Workload> workloads = List.of(study(), steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01),
          steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0.01));
      BenchRecord record = new BenchRecord();
      new CpuBench(List.of(new BenchTarget(one, 1), new BenchTarget(two, 2)), workloads, SHORT, record).measureWorkloads();
      List<WorkloadResult> results = record.workloads;
      assertEquals(6, results.size());
      for (WorkloadResult result : results) {
        MeasuredBound bound = result.bound().orElseThrow();
        assertEquals(3, result.achieved().runs().size());
        for (int run = 0; run < 3; run++) {
          double achieved = result.achieved().runs().get(run);
          double ceiling = bound.ceiling().runs().get(run);
          assertTrue(achieved > 0 && ceiling > 0, result.toString());
          double ratio = result.workload().unit() == Unit.SECONDS ? ceiling / achieved : achieved / ceiling;
          assertEquals(ratio, bound.ratio().runs().get(run), 1e-12 * ratio);
        }
        assertEquals(result.workload() instanceof StepsWorkload, result.sessionBytes().isPresent());
      }
      Set<String> bounds = results.stream().map(result -> result.bound().orElseThrow().name()).collect(Collectors.toSet());
      assertTrue(bounds.containsAll(Set.of("multiply-add peak", "bare products, whole")), bounds.toString());
    }
  }

  /** Every lap takes at least PAUSE_MILLIS, which limits the speed of a run. */
  @Test
  void shortenedRunsCountOnlyTheirLaps() {
    StepsWorkload workload = steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01);
    for (boolean whole : new boolean[] {true, false}) {
      AtomicInteger laps = new AtomicInteger();
      try (Backend backend = pausing(Backends.reference(), laps)) {
        BenchRecord record = new BenchRecord();
        new CpuBench(List.of(new BenchTarget(backend, 0)), List.of(workload), new CpuBench.Plan(2, 0, whole, 0.001, 8, 1 << 12),
            record).measureWorkloads();
        WorkloadResult result = record.workloads.get(0);
        assertEquals(whole ? 1 + 2 * 2 : 1 + 2, laps.get(), "one warm-up lap, then two runs");
        double fastest = workload.amount() / (workload.laps() * PAUSE_MILLIS / 1e3);
        assertTrue(result.achieved().max() <= fastest, result.achieved() + " of " + fastest);
      }
    }
  }

  /** Returns a backend whose sessions pause in every run of steps, and count the runs. */
  private static Backend pausing(Backend backend, AtomicInteger laps) {
    return proxy(Backend.class, (name, call) -> {
      Object result = call.on(backend);
      return name.equals("open") ? proxy(TrainingSession.class, (sessionMethod, sessionCall) -> {
        if (sessionMethod.equals("run")) {
          laps.incrementAndGet();
          Thread.sleep(PAUSE_MILLIS);
        }
        return sessionCall.on(result);
      }) : result;
    });
  }

  private interface Call {
    Object on(Object target) throws Exception;
  }

  private interface Handler {
    Object handle(String method, Call call) throws Exception;
  }

  private static <T> T proxy(Class<T> type, Handler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
        (self, method, arguments) -> handler.handle(method.getName(), target -> method.invoke(target, arguments))));
  }

  @Test
  void targetThatIsNotOnTheCpuHasNoCeiling() {
    try (Backend elsewhere = Backends.reference()) {
      BenchRecord record = new BenchRecord();
      CpuBench bench = new CpuBench(List.of(new BenchTarget(elsewhere, 0)), List.of(study()), SHORT, record);
      bench.measureWorkloads();
      bench.measureCeilings();
      assertTrue(record.workloads.get(0).bound().isEmpty());
      assertTrue(record.ceilings.stream().noneMatch(ceiling -> ceiling.name().startsWith("products")));
    }
  }

  @Test
  void ceilingsAreMeasuredForEachNumberOfThreads() {
    BenchRecord record = new BenchRecord();
    try (Backend one = cpu(1); Backend two = cpu(2)) {
      new CpuBench(List.of(new BenchTarget(one, 1), new BenchTarget(two, 2)), List.of(study(), steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01)),
          SHORT, record).measureCeilings();
      List<Ceiling> ceilings = record.ceilings;
      Set<String> names = new TreeSet<>();
      for (Ceiling ceiling : ceilings) {
        names.add(ceiling.name());
        assertEquals(3, ceiling.rate().runs().size());
        assertTrue(ceiling.rate().min() > 0, ceiling.toString());
      }
      assertTrue(names.containsAll(Set.of("multiply-add in Java, fp32", "multiply-add in Java, fp64",
          "products 8 x 8 x 8, fp32", "products 8 x 8 x 8, fp64", "steps, all products of a step",
          "core-to-core round trips (cache-line ping-pong)", "steps, forward 0, 70 x 8 x 5",
          "steps, inputs 2, 60 x 8 x 3", "steps, weights 0, 70 x 5 x 8")), names.toString());
      for (String name : names) {
        List<Ceiling> sameName = ceilings.stream().filter(ceiling -> ceiling.name().equals(name)).toList();
        Set<Integer> threads = name.startsWith("core-to-core") ? Set.of(2) : Set.of(1, 2);
        assertEquals(threads, sameName.stream().map(Ceiling::threads).collect(Collectors.toSet()), name);
        assertEquals(1, sameName.stream().filter(ceiling -> ceiling.threads() == 2 && ceiling.schedule().isEmpty()).count(),
            name);
      }
      assertFalse(record.progress.isEmpty());
    }
  }

  @Test
  void divergingTrainingIsAnError() {
    try (Backend backend = cpu(1)) {
      CpuBench bench = new CpuBench(List.of(new BenchTarget(backend, 1)), List.of(steps(Bound.PRODUCTS, Unit.SAMPLES, 1e30)), SHORT,
          new BenchRecord());
      assertTrue(assertThrows(IllegalStateException.class, bench::measureWorkloads).getMessage().contains("steps diverged in step"));
    }
  }

  @Test
  void measurementHasMedianMinAndMax() {
    Measurement odd = new Measurement(List.of(5.0, 1.0, 2.0));
    assertEquals(2, odd.median());
    assertEquals(1, odd.min());
    assertEquals(5, odd.max());
    assertEquals(1.5, new Measurement(List.of(2.0, 1.0)).median());
    assertThrows(IllegalArgumentException.class, () -> new Measurement(List.of()));
  }
}
