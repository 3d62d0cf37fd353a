package dev.plumb.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.bench.StepsWorkload.Bound;
import dev.plumb.bench.StepsWorkload.Source;
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

class BenchTest {
  private static final int PAUSE_MILLIS = 30;
  private static final Plan SHORT = new Plan(3, 0, true, 0.001, 8, 1 << 12);
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

  // What is counted

  @Test
  void amountsAreThoseOfWholeRuns() {
    int parameters = 6 * 70 + 71 * 60 + 61 * 3;
    int weights = 5 * 70 + 70 * 60 + 60 * 3;
    assertEquals(20 * 4 * 2, steps(Bound.PRODUCTS, Unit.SAMPLES, 0).amount());
    assertEquals(6e-9 * parameters * 20 * 4 * 2, steps(Bound.PRODUCTS, Unit.GIGAFLOPS, 0).amount(), 1e-12);
    assertEquals(2, steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0).amount());
    assertEquals(6.0 * weights * 20 * 2 * 2, steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0).operationsOfLap());
    assertEquals(6.0 * ((12 + 4) + (6 + 4 + 2)) * 10 * 3, study().operations());
  }

  @Test
  void lapsAreAlikeAndMakeARun() {
    assertEquals(2 * 3, steps(Bound.PRODUCTS, Unit.SAMPLES, 0).stepsOfLap());
    StepsWorkload uneven = steps(Bound.PRODUCTS, Unit.SAMPLES, 0);
    assertThrows(IllegalArgumentException.class, () -> new StepsWorkload("w", "w", NETWORK, uneven.training(), 1,
        Source.RANDOM, 20, Bound.PRODUCTS, Unit.SAMPLES, 3));
  }

  @Test
  void standardWorkloadsAreTheFixedOnes() {
    List<Workload> standard = Workloads.standard();
    assertEquals(List.of("W1", "W2", "W3", "W4"), standard.stream().map(Workload::name).toList());
    assertEquals(StudySpec.notebook(), ((StudyWorkload) standard.get(0)).spec());
    assertEquals(51_200, standard.get(1).amount());
    assertEquals(6e-9 * (1025.0 * 2048 + 2049.0 * 2048 + 2049.0 * 1024) * 256 * 40, standard.get(2).amount(), 1e-6);
    assertEquals(256, standard.get(3).amount());
    assertEquals(6.0 * (3 * 8 + 3 * 64 + 8) * 400 * 1000 * 256, ((StepsWorkload) standard.get(3)).operationsOfLap()
        * standard.get(3).laps());
  }

  // What is measured

  @Test
  void speedAndRatioOfEachRunFitEachOther() {
    try (Backend one = cpu(1); Backend two = cpu(2)) {
      List<Workload> workloads = List.of(study(), steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01),
          steps(Bound.MULTIPLY_ADDS, Unit.NETWORKS, 0.01));
      BenchRecord record = new BenchRecord();
      new Bench(List.of(new Entrant(one, 1), new Entrant(two, 2)), workloads, SHORT, record).measureWorkloads();
      List<Outcome> outcomes = record.outcomes;
      assertEquals(6, outcomes.size());
      for (Outcome outcome : outcomes) {
        Outcome.Against bound = outcome.bound().orElseThrow();
        assertEquals(3, outcome.achieved().runs().size());
        for (int run = 0; run < 3; run++) {
          double achieved = outcome.achieved().runs().get(run);
          double ceiling = bound.ceiling().runs().get(run);
          assertTrue(achieved > 0 && ceiling > 0, outcome.toString());
          double ratio = outcome.workload().unit() == Unit.SECONDS ? ceiling / achieved : achieved / ceiling;
          assertEquals(ratio, bound.ratio().runs().get(run), 1e-12 * ratio);
        }
        assertEquals(outcome.workload() instanceof StepsWorkload, outcome.sessionBytes().isPresent());
      }
      Set<String> bounds = outcomes.stream().map(outcome -> outcome.bound().orElseThrow().name()).collect(Collectors.toSet());
      assertTrue(bounds.containsAll(Set.of("multiply-add peak", "bare products, whole")), bounds.toString());
    }
  }

  /** A lap takes its pause at least, so that a run cannot be faster than its pauses allow. */
  @Test
  void shortRunsAreCountedAsThePartOfARunThatTheyAre() {
    StepsWorkload workload = steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01);
    for (boolean whole : new boolean[] {true, false}) {
      AtomicInteger laps = new AtomicInteger();
      try (Backend backend = pausing(Backends.reference(), laps)) {
        BenchRecord record = new BenchRecord();
        new Bench(List.of(new Entrant(backend, 0)), List.of(workload), new Plan(2, 0, whole, 0.001, 8, 1 << 12), record)
            .measureWorkloads();
        Outcome outcome = record.outcomes.get(0);
        assertEquals(whole ? 1 + 2 * 2 : 1 + 2, laps.get(), "one to warm up, then those of two runs");
        double fastest = workload.amount() / (workload.laps() * PAUSE_MILLIS / 1e3);
        assertTrue(outcome.achieved().max() <= fastest, outcome.achieved() + " of " + fastest);
      }
    }
  }

  /** A backend whose sessions take their time to run a chunk, and count them. */
  private static Backend pausing(Backend backend, AtomicInteger laps) {
    return proxy(Backend.class, (name, call) -> {
      Object result = call.on(backend);
      return name.equals("open") ? proxy(TrainingSession.class, (ofSession, inSession) -> {
        if (ofSession.equals("run")) {
          laps.incrementAndGet();
          Thread.sleep(PAUSE_MILLIS);
        }
        return inSession.on(result);
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
  void whatIsNotOnTheProcessorHasNoCeiling() {
    try (Backend card = Backends.reference()) {
      BenchRecord record = new BenchRecord();
      Bench bench = new Bench(List.of(new Entrant(card, 0)), List.of(study()), SHORT, record);
      bench.measureWorkloads();
      bench.measureCeilings();
      assertTrue(record.outcomes.get(0).bound().isEmpty());
      assertTrue(record.ceilings.stream().noneMatch(ceiling -> ceiling.name().startsWith("products")));
    }
  }

  @Test
  void ceilingsAreMeasuredForEachNumberOfThreads() {
    BenchRecord record = new BenchRecord();
    try (Backend one = cpu(1); Backend two = cpu(2)) {
      new Bench(List.of(new Entrant(one, 1), new Entrant(two, 2)), List.of(study(), steps(Bound.PRODUCTS, Unit.SAMPLES, 0.01)),
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
          "words between two threads, there and back", "steps, forward 0, 70 x 8 x 5",
          "steps, inputs 2, 60 x 8 x 3", "steps, weights 0, 70 x 5 x 8")), names.toString());
      for (String name : names) {
        List<Ceiling> of = ceilings.stream().filter(ceiling -> ceiling.name().equals(name)).toList();
        Set<Integer> threads = name.startsWith("words between two threads") ? Set.of(2) : Set.of(1, 2);
        assertEquals(threads, of.stream().map(Ceiling::threads).collect(Collectors.toSet()), name);
        assertEquals(1, of.stream().filter(ceiling -> ceiling.threads() == 2 && ceiling.way().isEmpty()).count(), name);
      }
      assertFalse(record.progress.isEmpty());
    }
  }

  @Test
  void figuresOfATrainingThatDivergesAreNotGiven() {
    try (Backend backend = cpu(1)) {
      Bench bench = new Bench(List.of(new Entrant(backend, 1)), List.of(steps(Bound.PRODUCTS, Unit.SAMPLES, 1e30)), SHORT,
          new BenchRecord());
      assertTrue(assertThrows(IllegalStateException.class, bench::measureWorkloads).getMessage().contains("steps diverged in step"));
    }
  }

  @Test
  void figureIsTheMiddleOfItsRunsAndTheirEnds() {
    Figure odd = new Figure(List.of(5.0, 1.0, 2.0));
    assertEquals(2, odd.median());
    assertEquals(1, odd.min());
    assertEquals(5, odd.max());
    assertEquals(1.5, new Figure(List.of(2.0, 1.0)).median());
    assertThrows(IllegalArgumentException.class, () -> new Figure(List.of()));
  }
}
