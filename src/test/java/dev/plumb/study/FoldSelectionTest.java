package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Column;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.train.ConfigSelector.Selection;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class FoldSelectionTest {
  private static final TrainConfig SMALL = TrainConfig.DEFAULT.with(c -> c.hidden(4).seed(3));

  private final List<String> notes = new ArrayList<>();
  private long announced;
  private long trained;
  private long stopAfter = Long.MAX_VALUE;

  private Selection select(Table table, TrainConfig config, int threads) {
    FoldSelection.Listener listener = new FoldSelection.Listener() {
      @Override
      public void started(long epochs) {
        announced += epochs;
      }

      @Override
      public void trained(long epochs) {
        trained += epochs;
      }

      @Override
      public boolean stopRequested() {
        return trained >= stopAfter;
      }
    };
    try (Backend backend = threads == 0 ? new ReferenceBackend() : new CpuBackend(
        new CpuOptions(threads, CpuOptions.Method.BY_SIZE), note -> {}); TrialExecutor executor = TrialExecutor.on(backend)) {
      return new FoldSelection(executor, listener, notes::add).select(table, config);
    }
  }

  /** A target that is the sum of two features and noise. */
  private static Table numbers(int rows) {
    Random random = new Random(rows);
    double[][] values = new double[rows][];
    Arrays.setAll(values, row -> {
      double a = random.nextGaussian();
      double b = random.nextGaussian();
      return new double[] {a, b, a + b + 0.3 * random.nextGaussian()};
    });
    return Table.of(values, "a", "b", "y");
  }

  private static Table classes(String... labels) {
    Random random = new Random(1);
    return Table.of(List.of(Column.ofNumbers("x", random.doubles(labels.length).toArray()), Column.ofText("y", labels)));
  }

  @Test
  void chosenCandidateHasTheLowestLossAndItsScoresAreTheEstimate() {
    Table table = numbers(60);
    Selection selection = select(table, SMALL, 2);
    FoldEstimate estimate = selection.estimate().orElseThrow();
    assertEquals(5, estimate.folds());
    assertEquals(5, estimate.candidates());
    assertEquals(0, selection.config().validation());
    assertEquals(announced, trained);
    double[][] candidates = {{200, 0.3, 0}, {200, 0.3, 0.2}, {200, 3, 0}, {50, 3, 0}, {20, 1, 0}};
    double lowest = Double.POSITIVE_INFINITY;
    TrainConfig best = null;
    try (Backend backend = new CpuBackend(new CpuOptions(1, CpuOptions.Method.BY_SIZE), note -> {})) {
      for (double[] values : candidates) {
        TrainConfig config = SMALL.with(c -> c.validation(0).epochs((int) values[0])
            .optimizer(OptimizerSpec.Adam.DEFAULT_W.withWeightDecay(values[1])).dropout(values[2]));
        Summary loss = new CrossValidation(TrialExecutor.on(backend), table, new CrossValidationSpec(config,
            new FoldOptions(5, 1, Optional.empty(), Optional.empty()), 1)).run(new CrossValidation.Listener() {}).orElseThrow()
            .summary(Metric.LOSS);
        if (loss.mean() < lowest) {
          lowest = loss.mean();
          best = config;
        }
      }
    }
    assertEquals(best, selection.config());
    assertEquals(lowest, estimate.scores().get(Metric.LOSS).mean());
    assertEquals(List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE), List.copyOf(estimate.scores().keySet()));
    assertTrue(estimate.scores().get(Metric.R2).mean() > 0.8, estimate.toString());
    assertEquals(List.of(), notes);
  }

  @Test
  void choiceDoesNotDependOnThreadsAndHardlyOnTheBackend() {
    TrainConfig config = SMALL.with(c -> c.precision(Precision.FP64));
    Selection one = select(numbers(40), config, 1);
    assertEquals(one, select(numbers(40), config, 2));
    Selection reference = select(numbers(40), config, 0);
    assertEquals(one.config(), reference.config());
    assertEquals(one.estimate().orElseThrow().scores().get(Metric.LOSS).mean(),
        reference.estimate().orElseThrow().scores().get(Metric.LOSS).mean(), 1e-9);
  }

  @Test
  void valuesThatTheUserSetAreKept() {
    TrainConfig config = SMALL.with(c -> c.epochs(3).optimizer(OptimizerSpec.Sgd.DEFAULT).dropout(0.1));
    Selection selection = select(numbers(30), config, 1);
    assertEquals(1, selection.estimate().orElseThrow().candidates());
    assertEquals(config.with(c -> c.validation(0)), selection.config());
    assertEquals(15, announced);
  }

  @Test
  void watchedMetricChooses() {
    String[] labels = new String[50];
    Arrays.setAll(labels, row -> row % 3 == 0 ? "yes" : "no");
    FoldEstimate estimate =
        select(classes(labels), SMALL.with(c -> c.watch(Metric.BALANCED_ACCURACY)), 1).estimate().orElseThrow();
    FoldEstimate byLoss = select(classes(labels), SMALL, 1).estimate().orElseThrow();
    assertTrue(estimate.scores().get(Metric.BALANCED_ACCURACY).mean() >= byLoss.scores().get(Metric.BALANCED_ACCURACY).mean());
    assertTrue(estimate.scores().get(Metric.LOSS).mean() >= byLoss.scores().get(Metric.LOSS).mean());
  }

  @Test
  void largeTablesAndSetValidationAreLeftAlone() {
    assertEquals(new Selection(SMALL, Optional.empty()), select(numbers(FoldSelection.MAX_ROWS + 1), SMALL, 1));
    TrainConfig held = SMALL.with(c -> c.validation(0.1));
    assertEquals(new Selection(held, Optional.empty()), select(numbers(50), held, 1));
    assertEquals(0, announced);
  }

  @Test
  void rareClassesAreInEveryFold() {
    assertEquals(3, select(classes("a", "a", "a", "a", "a", "b", "b", "b", "a", "a"), SMALL.with(c -> c.epochs(2)), 1)
        .estimate().orElseThrow().folds());
    Selection single = select(classes("a", "a", "a", "b", "b", "b", "b", "a", "a", "c"), SMALL, 1);
    assertEquals(new Selection(SMALL, Optional.empty()), single);
    assertEquals(List.of("no estimate by folds: class \"c\" of column \"y\" has 1 row, fewer than the 2 folds; leave the class out"),
        notes);
  }

  @Test
  void rowsThatAreDroppedDoNotCount() {
    double[] y = new double[FoldSelection.MAX_ROWS + 100];
    Arrays.setAll(y, row -> row < 60 ? row % 7 : Double.NaN);
    Table table = Table.of(List.of(Column.ofNumbers("x", new Random(1).doubles(y.length).toArray()), Column.ofNumbers("y", y)));
    TrainConfig config = SMALL.with(c -> c.epochs(1)
        .columns(EncodingOptions.DEFAULT.withTask(Task.REGRESSION).withMissing(Missing.DROP)));
    assertTrue(select(table, config, 1).estimate().isPresent());
    assertEquals(Optional.empty(), select(numbers(4), SMALL, 1).estimate());
    assertEquals(List.of("no estimate by folds: too few rows (4) for 5 folds"), notes);
  }

  @Test
  void faultOfTheTableIsReportedAsSuch() {
    assertThrows(InvalidInputException.class, () -> select(classes("a", "a", "a", "a", "a", "a"), SMALL, 1));
    assertEquals(List.of(), notes);
  }

  @Test
  void stopEndsTheChoice() {
    stopAfter = 1;
    assertThrows(CancellationException.class, () -> select(numbers(60), SMALL, 1));
    assertTrue(trained < announced / 2, trained + " of " + announced);
  }
}
