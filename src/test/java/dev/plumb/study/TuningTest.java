package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Column;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.train.Metric;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TuningTest {
  private static final Table IRIS = table("iris");
  private static final SearchSpace SMALL = SearchSpace.parse("""
      {"learningRate": {"log": [1e-3, 1e-1]}, "width": {"choice": [3, 5]}, "depth": {"choice": [1, 2]},
       "normalization": {"choice": ["none", "batch", "layer"]}, "dropout": {"linear": [0, 0.2]}}""");
  static final TrainConfig BASE =
      TrainConfig.DEFAULT.with(changes -> changes.hidden(4).epochs(18).precision(Precision.FP64).seed(5));

  static Table table(String name) {
    return TableReader.read(Path.of("src/test/resources/tables", name + ".csv"), ReadOptions.DEFAULT);
  }

  static TuningSpec spec(TrainConfig base, int trials, int folds) {
    return new TuningSpec(base, SMALL, trials, folds == 0 ? OptionalInt.empty() : OptionalInt.of(folds),
        TuningSpec.DEFAULT_RUNGS);
  }

  private static TuningResult run(Table table, TuningSpec spec) {
    try (Backend backend = cpu(2)) {
      return new Tuning(TrialExecutor.on(backend), table, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
    }
  }

  private static Backend cpu(int threads) {
    return new CpuBackend(new CpuOptions(threads, CpuOptions.Method.BY_SIZE), note -> {});
  }

  @Test
  void ladderHasAQuarterOfTheCandidatesForThreeTimesTheEpochs() {
    TrainConfig base = BASE.with(changes -> changes.epochs(45));
    AtomicLong epochs = new AtomicLong();
    List<TuningTrial> finished = new ArrayList<>();
    TuningResult result;
    Tuning tuning;
    try (Backend backend = cpu(2)) {
      tuning = new Tuning(TrialExecutor.on(backend), IRIS, spec(base, 10, 2));
      result = tuning.run(List.of(), new Tuning.Listener() {
        @Override
        public void trained(long trained) {
          assertTrue(trained >= 0, "more epochs than estimated: " + trained);
          epochs.addAndGet(trained);
        }

        @Override
        public void finished(TuningTrial trial) {
          finished.add(trial);
        }
      }).orElseThrow();
    }
    assertEquals(List.of(5, 15, 45), tuning.rungs());
    assertEquals(List.of(5, 15, 45), result.ladder().stream().map(TuningResult.Rung::epochs).toList());
    assertEquals(tuning.epochs(), epochs.get());
    assertEquals(result.trials(), finished.stream().sorted(TuningTrial.ORDER).toList());
    DerivedLadder.assertLadder(result, 10, 2);
  }

  @Test
  void smallTableHasTheChoicesOfTrainAsCandidates() {
    TuningResult result = run(IRIS, spec(BASE, 7, 0));
    assertEquals(4, result.baseCandidates());
    assertEquals(List.of("0.3 0.0", "0.3 0.2", "3.0 0.0", "1.0 0.0"), result.candidates().subList(0, 4).stream()
        .map(config -> config.trainer().training().optimizer().weightDecay() + " "
            + config.trainer().training().dropout().map(Dropout::probability).orElse(0.0)).toList());
    assertEquals(List.of(4, 4, 4, 4), result.candidates().subList(0, 4).stream().map(config -> config.hidden().get(0)).toList());
    DerivedLadder.assertLadder(result, 7, 5);
    assertEquals(2, run(IRIS, spec(BASE, 2, 0)).baseCandidates());
    assertEquals(1, run(IRIS, spec(BASE.with(c -> c.validation(0.3)), 3, 0)).baseCandidates());
    assertEquals(2, run(IRIS, spec(BASE.with(c -> c.optimizer(OptimizerSpec.Adam.DEFAULT_W)), 3, 2)).baseCandidates(),
        "dropout only");
  }

  @Test
  void oneRungIsRandomSearch() {
    TuningResult result = run(IRIS, new TuningSpec(BASE, SMALL, 6, OptionalInt.of(2), 1));
    assertEquals(List.of(18), result.ladder().stream().map(TuningResult.Rung::epochs).toList());
    DerivedLadder.assertLadder(result, 6, 2);
  }

  @Test
  void automaticEpochsHaveARungOf66() {
    try (Backend backend = cpu(1)) {
      TrainConfig automatic = TrainConfig.DEFAULT.with(changes -> changes.hidden(3));
      assertEquals(List.of(7, 22, 66, 200), new Tuning(TrialExecutor.on(backend), IRIS, spec(automatic, 1, 2)).rungs());
      assertEquals(List.of(44, 133, 400),
          new Tuning(TrialExecutor.on(backend), IRIS, spec(automatic.with(c -> c.epochs(400)), 1, 2)).rungs());
    }
  }

  /** A trial is an ordinary training on the fold's rows: cross-validation of the candidate has the same scores, bit for bit. */
  @Test
  void winnerHasTheScoresOfCrossValidation() {
    TuningResult result = run(IRIS, spec(BASE, 4, 3));
    int winner = result.standings().get(0).candidate();
    List<FoldResult> folds;
    try (Backend backend = cpu(1)) {
      folds = new CrossValidation(TrialExecutor.on(backend), IRIS, new CrossValidationSpec(result.winner(),
          new FoldOptions(3, 1, Optional.empty(), Optional.empty()), 1)).run(new CrossValidation.Listener() {})
          .orElseThrow().results();
    }
    int rung = result.standings().get(0).rung();
    List<TuningTrial> own = result.trials().stream()
        .filter(trial -> trial.rung() == rung && trial.candidate() == winner && trial.seed() == 0).toList();
    assertEquals(folds.stream().map(fold -> fold.score(Metric.LOSS)).toList(), own.stream().map(TuningTrial::score).toList());
  }

  @Test
  void resultDoesNotDependOnThreadsOrBackend() {
    TuningSpec spec = spec(BASE, 6, 2);
    TuningResult one;
    TuningResult reference;
    try (Backend backend = cpu(1)) {
      one = new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
    }
    try (Backend backend = new ReferenceBackend()) {
      reference = new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
    }
    assertSameResult(one, run(IRIS, spec), 0);
    assertSameResult(one, reference, 1e-9);
  }

  static void assertSameResult(TuningResult one, TuningResult other, double tolerance) {
    assertEquals(one.winner(), other.winner());
    assertEquals(one.standings().stream().map(TuningResult.Standing::candidate).toList(),
        other.standings().stream().map(TuningResult.Standing::candidate).toList());
    assertEquals(one.trials().stream().map(TuningTrial::key).toList(), other.trials().stream().map(TuningTrial::key).toList());
    for (int i = 0; i < one.trials().size(); i++) {
      double score = one.trials().get(i).score();
      assertEquals(score, other.trials().get(i).score(), tolerance * Math.abs(score), one.trials().get(i).key().toString());
      assertEquals(one.trials().get(i).epochs(), other.trials().get(i).epochs());
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.3})
  void resumedAfterAnyNumberOfNetworksHasTheSameResult(double validation) {
    TuningSpec spec = validation == 0 ? spec(BASE, 4, 2) : spec(BASE.with(c -> c.validation(validation)), 6, 0);
    try (Backend backend = cpu(1)) {
      List<String> lines = new ArrayList<>();
      TuningResult whole = new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {
        @Override
        public void finished(TuningTrial trial) {
          lines.add(trial.line());
        }
      }).orElseThrow();
      assertEquals(whole.trials().size(), lines.size());
      for (int known = 0; known <= lines.size(); known++) {
        AtomicLong epochs = new AtomicLong();
        List<TuningTrial> trained = new ArrayList<>();
        Tuning tuning = new Tuning(TrialExecutor.on(backend), IRIS, spec);
        List<TuningTrial> logged = lines.subList(0, known).stream().map(TuningTrial::parse).toList();
        TuningResult resumed = tuning.run(logged, new Tuning.Listener() {
          @Override
          public void trained(long more) {
            epochs.addAndGet(more);
          }

          @Override
          public void finished(TuningTrial trial) {
            trained.add(trial);
          }
        }).orElseThrow();
        assertSameResult(whole, resumed, 0);
        assertEquals(lines.size() - known, trained.size());
        assertEquals(tuning.epochs(), epochs.get());
      }
    }
  }

  @Test
  void stopRequestEndsTheSearch() {
    try (Backend backend = cpu(2)) {
      AtomicLong finished = new AtomicLong();
      assertTrue(new Tuning(TrialExecutor.on(backend), IRIS, spec(BASE, 6, 2)).run(List.of(), new Tuning.Listener() {
        @Override
        public boolean stopRequested() {
          return finished.get() > 2;
        }

        @Override
        public void finished(TuningTrial trial) {
          finished.incrementAndGet();
        }
      }).isEmpty());
    }
  }

  @Test
  void divergedCandidateIsTheWorst() {
    SearchSpace space = SearchSpace.parse("{\"learningRate\": {\"choice\": [1e30, 0.01]}}");
    TrainConfig sgd = BASE.with(c -> c.optimizer(OptimizerSpec.Sgd.DEFAULT).learningRate(0.01));
    TuningResult result = run(table("diabetes"), new TuningSpec(sgd, space, 8, OptionalInt.of(2), 3));
    List<Boolean> diverged = result.standings().stream().filter(standing -> standing.lastRung() == 0)
        .map(TuningResult.Standing::isDiverged).toList();
    assertTrue(diverged.contains(true), "some candidates have the high rate");
    assertFalse(result.standings().get(0).isDiverged());
    for (TuningResult.Standing standing : result.standings()) {
      double rate = result.candidates().get(standing.candidate()).trainer().training().learningRate();
      assertEquals(rate == 1e30, standing.isDiverged());
    }
    assertEquals(0, result.standings().get(0).candidate(), "of equal candidates, the one of the lowest number wins");
    DerivedLadder.assertLadder(result, 8, 2);
    TuningSpec hopeless = new TuningSpec(sgd.with(c -> c.learningRate(1e30)), space.without(Set.of(Hyperparameter.LEARNING_RATE)),
        3, OptionalInt.of(2), 3);
    TuningResult none = run(table("diabetes"), hopeless);
    assertTrue(none.standings().stream().allMatch(TuningResult.Standing::isDiverged));
    assertEquals(0, none.standings().get(0).candidate());
  }

  @Test
  void watchedMetricJudges() {
    TuningResult result = run(IRIS, spec(BASE.with(c -> c.watch(Metric.ACCURACY)), 5, 2));
    assertEquals(Metric.ACCURACY, result.metric());
    DerivedLadder.assertLadder(result, 5, 2);
    assertTrue(result.standings().get(0).score().mean() > 0.5);
    TuningResult numbers = run(table("diabetes"), spec(BASE.with(c -> c.watch(Metric.RMSE)), 5, 0));
    assertEquals(5, numbers.trials().stream().map(TuningTrial::fold).distinct().count());
    DerivedLadder.assertLadder(numbers, 5, 5);
  }

  /** Returns a table with some numbers of rows per class. */
  private static Table classes(int... counts) {
    String[] words = IntStream.range(0, counts.length).boxed()
        .flatMap(c -> IntStream.range(0, counts[c]).mapToObj(i -> "c" + c)).toArray(String[]::new);
    double[] x = IntStream.range(0, words.length).mapToDouble(i -> i % 7 + words[i].charAt(1)).toArray();
    return Table.of(List.of(Column.ofNumbers("x", x), Column.ofText("y", words)));
  }

  @Test
  void judgingRowsDependOnTheTable() {
    assertEquals(5, folds(classes(30, 30), BASE));
    assertEquals(3, folds(classes(30, 3), BASE));
    assertEquals(1, folds(classes(30, 30, 1), BASE));
    assertEquals(1, folds(classes(1500, 600), BASE));
    assertEquals(1, folds(classes(30, 30), BASE.with(c -> c.validation(0.3))));
    assertEquals(5, folds(classes(30, 30), BASE.with(c -> c.validation(0))));
    assertThrows(InvalidInputException.class, () -> folds(classes(1, 1), BASE));
    try (Backend backend = cpu(1)) {
      assertEquals(420, new Tuning(TrialExecutor.on(backend), classes(1500, 600), spec(BASE, 1, 0)).judgingRows());
      assertEquals(18, new Tuning(TrialExecutor.on(backend), classes(30, 30), spec(BASE.with(c -> c.validation(0.3)), 1, 0))
          .judgingRows());
    }
    DerivedLadder.assertLadder(run(classes(30, 30, 1), spec(BASE, 5, 0)), 5, 1);
  }

  private static int folds(Table table, TrainConfig base) {
    try (Backend backend = cpu(1)) {
      return new Tuning(TrialExecutor.on(backend), table, spec(base, 1, 0)).folds();
    }
  }

  /** Batch normalization needs two rows in each batch, of the folds and of all rows. */
  @Test
  void batchesOfBatchNormalizationHaveTwoRows() {
    Table table = classes(40, 41);
    SearchSpace space = SearchSpace.parse("{\"batchSize\": {\"choice\": [8, 16, 20]}, \"normalization\": \"batch\"}");
    TuningResult result = run(table, new TuningSpec(BASE, space, 12, OptionalInt.of(5), 3));
    for (TrainConfig candidate : result.candidates()) {
      PreparedData.of(table, candidate).requireFits();
    }
    assertTrue(result.standings().stream().noneMatch(TuningResult.Standing::isDiverged));
  }

  /** Networks whose products are divided are trained one per thread if there are enough of them. */
  @Test
  void mediumNetworksAreTrainedSideBySideWithTheSameResult() {
    SearchSpace space = SearchSpace.parse("{\"width\": {\"choice\": [130, 260]}, \"batchSize\": {\"choice\": [32, 64]}}");
    TuningSpec spec = new TuningSpec(BASE.with(c -> c.epochs(5)), space, 4, OptionalInt.of(3), 1);
    TuningResult one;
    try (Backend backend = cpu(1)) {
      one = new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
    }
    Set<String> threads = ConcurrentHashMap.newKeySet();
    try (Backend backend = cpu(4)) {
      assertSameResult(one, new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {
        @Override
        public void finished(TuningTrial trial) {
          threads.add(Thread.currentThread().getName());
        }
      }).orElseThrow(), 0);
    }
    assertTrue(threads.size() > 1, threads.toString());
  }

  @Test
  void warmUpIsScaledToTheRung() {
    try (Backend backend = cpu(1)) {
      TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(3).warmUpEpochs(120));
      TuningSpec spec = new TuningSpec(config, SMALL, 1, OptionalInt.of(2), 1);
      TuningResult result = new Tuning(TrialExecutor.on(backend), IRIS, spec).run(List.of(), new Tuning.Listener() {}).orElseThrow();
      assertEquals(66, result.winner().trainer().training().epochs());
      assertEquals(39, result.winner().trainer().warmUpEpochs());
    }
  }

  @Test
  void timeIsTurnedIntoTrials() {
    try (Backend backend = cpu(1)) {
      Tuning tuning = new Tuning(TrialExecutor.on(backend), IRIS, spec(BASE, 1, 2));
      assertEquals(1, tuning.trialsWithin(1e-9));
      assertTrue(tuning.trialsWithin(10) > 10);
      Tuning folds = new Tuning(TrialExecutor.on(backend), IRIS, spec(BASE, 7, 0));
      assertEquals(1, folds.trialsWithin(1e-9), "fewer than there are base candidates");
    }
  }
}
