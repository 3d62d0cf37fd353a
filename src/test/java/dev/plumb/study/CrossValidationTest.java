package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainingInterruptedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CrossValidationTest {
  private static final TrainConfig SMALL = TrainConfig.DEFAULT.with(changes -> changes.hidden(3).epochs(2));
  private static final FoldOptions THREE = new FoldOptions(3, 1, Optional.empty(), Optional.empty());

  @Test
  void everyRowOfARandomTableIsPredictedOnceInEachRepeatAndSeed() {
    try (Backend backend = new CpuBackend(new CpuOptions(2, CpuOptions.Method.BY_SIZE), note -> {})) {
      for (long seed = 0; seed < 30; seed++) {
        Random random = new Random(seed);
        Table table = table(random);
        int repeats = 1 + random.nextInt(2);
        int seeds = 1 + random.nextInt(3);
        int folds = 2 + random.nextInt(3);
        long number = seed;
        CrossValidationSpec spec = new CrossValidationSpec(SMALL.with(changes -> changes.seed(number)
            .columns(EncodingOptions.DEFAULT.withMissing(Missing.DROP))),
            new FoldOptions(folds, repeats, Optional.empty(), Optional.empty()), seeds);
        AtomicLong epochs = new AtomicLong();
        CrossValidationResult result = new CrossValidation(TrialExecutor.on(backend), table, spec).run(new CrossValidation.Listener() {
          @Override
          public void trained(long trained) {
            epochs.addAndGet(trained);
          }
        }).orElseThrow();
        String where = "seed " + seed;
        assertEquals(folds * repeats * seeds, result.results().size(), where);
        assertEquals(2L * spec.trainings(), epochs.get(), where);
        assertEquals(table.rows(), result.rows() + result.droppedRows(), where);
        int[] predicted = new int[result.rows()];
        for (FoldResult run : result.results()) {
          Arrays.stream(run.fold().test()).forEach(row -> predicted[row]++);
          assertScores(result, run, where);
        }
        assertTrue(Arrays.stream(predicted).allMatch(count -> count == repeats * seeds), where);
      }
    }
  }

  /** Computes the first metric of the task again, from the predictions. */
  private static void assertScores(CrossValidationResult result, FoldResult run, String where) {
    Predictions predictions = run.predictions().orElseThrow();
    Column target = result.table().column("y");
    int[] test = run.fold().test();
    assertEquals(test.length, predictions.rows(), where);
    if (result.task() == Task.CLASSIFICATION) {
      double correct = IntStream.range(0, test.length)
          .filter(i -> predictions.className(i).equals(target.text(test[i]))).count();
      assertEquals(correct / test.length, run.score(Metric.ACCURACY), 1e-12, where);
    } else {
      double error = IntStream.range(0, test.length)
          .mapToDouble(i -> Math.abs(predictions.number(i) - target.number(test[i]))).average().orElseThrow();
      assertEquals(error, run.score(Metric.MAE), 1e-9 * error, where);
    }
  }

  /** Returns a table with numbers, words and missing values. */
  private static Table table(Random random) {
    int rows = 40 + random.nextInt(100);
    List<Column> columns = new ArrayList<>();
    int numbers = 1 + random.nextInt(3);
    for (int i = 0; i < numbers; i++) {
      columns.add(Column.ofNumbers("x" + i,
          IntStream.range(0, rows).mapToDouble(row -> random.nextInt(20) == 0 ? Double.NaN : random.nextGaussian()).toArray()));
    }
    columns.add(Column.ofText("word", IntStream.range(0, rows).mapToObj(row -> random.nextInt(30) == 0 ? null
        : "w" + random.nextInt(4)).toArray(String[]::new)));
    if (random.nextBoolean()) {
      int classes = 2 + random.nextInt(2);
      columns.add(Column.ofText("y", IntStream.range(0, rows).mapToObj(row -> "c" + random.nextInt(classes)).toArray(String[]::new)));
    } else {
      columns.add(Column.ofNumbers("y", random.doubles(rows).toArray()));
    }
    return Table.of(columns);
  }

  @Test
  void encodingIsFittedToTheTrainingRowsOfEachFold() throws IOException {
    // The last row is far from the others. Where it is not trained on, it must not change any prediction for the other test rows.
    double[] x = IntStream.range(0, 30).mapToDouble(row -> row % 7).toArray();
    double[] y = IntStream.range(0, 30).mapToDouble(row -> row % 5 + 0.25).toArray();
    double[][] changed = {x.clone(), y.clone()};
    changed[0][29] = 1e6;
    changed[1][29] = -1e6;
    CrossValidationResult one = run(numbers(x, y), THREE);
    CrossValidationResult other = run(numbers(changed[0], changed[1]), THREE);
    int same = 0;
    for (int i = 0; i < 3; i++) {
      Predictions before = one.results().get(i).predictions().orElseThrow();
      Predictions after = other.results().get(i).predictions().orElseThrow();
      int[] test = one.results().get(i).fold().test();
      assertArrayEquals(test, other.results().get(i).fold().test());
      boolean held = test[test.length - 1] == 29;
      for (int row = 0; row < test.length && test[row] != 29; row++) {
        assertEquals(held, before.number(row) == after.number(row), "fold " + (i + 1) + ", row " + test[row]);
        same += held ? 1 : 0;
      }
    }
    assertEquals(9, same);
  }

  @Test
  void classThatIsNotTrainedOnIsRefused() {
    // Rows in the order of time. The first fold trains on 10 rows, the second on 20.
    String[] classes = IntStream.range(0, 30).mapToObj(row -> row == 15 ? "c" : row % 2 == 0 ? "a" : "b").toArray(String[]::new);
    InvalidInputException unknown = assertThrows(InvalidInputException.class, () ->
        run(overTime(classes), new FoldOptions(2, 1, Optional.empty(), Optional.of("t"))));
    assertEquals("fold 1: row 16: \"c\" in column \"y\" is not one of the training classes: a, b", unknown.getMessage());
  }

  @Test
  void predictionsAreWrittenWithTheNumbersOfTheirRows() throws IOException {
    String[] classes = IntStream.range(0, 30).mapToObj(row -> row % 2 == 0 ? "a, \"x\"" : "b").toArray(String[]::new);
    CrossValidationResult result =
        run(overTime(classes).rows(IntStream.range(1, 30).toArray()), new FoldOptions(2, 1, Optional.empty(), Optional.of("t")));
    assertEquals(18, result.confusion().cells().stream().mapToLong(ConfusionMatrix.Cell::count).sum());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CrossValidationOutput.writeCsv(result, out);
    List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals("row,fold,repeat,seed,truth,prediction,\"probability_a, \"\"x\"\"\",probability_b", lines.get(0));
    assertEquals(1 + 18, lines.size());
    assertTrue(lines.get(1).startsWith("13,1,1,42,\"a, \"\"x\"\"\","), lines.get(1));
    assertTrue(lines.get(18).startsWith("30,2,1,42,b,"), lines.get(18));
  }

  private static Table overTime(String[] classes) {
    return Table.of(List.of(Column.ofNumbers("t", IntStream.range(0, classes.length).mapToDouble(row -> row).toArray()),
        Column.ofNumbers("x", new Random(1).doubles(classes.length).toArray()), Column.ofText("y", classes)));
  }

  @Test
  void listenerStopsIt() {
    try (Backend backend = new ReferenceBackend()) {
      AtomicInteger asked = new AtomicInteger();
      CrossValidation validation = new CrossValidation(TrialExecutor.on(backend), table(new Random(2)),
          new CrossValidationSpec(SMALL.with(changes -> changes.epochs(1000).columns(EncodingOptions.DEFAULT.withMissing(Missing.DROP))),
              THREE, 2));
      assertEquals(Optional.empty(), validation.run(new CrossValidation.Listener() {
        @Override
        public boolean stopRequested() {
          return asked.incrementAndGet() > 5;
        }
      }));
    }
  }

  @Test
  void interruptedThreadEndsIt() {
    try (Backend backend = new ReferenceBackend()) {
      CrossValidation validation = new CrossValidation(TrialExecutor.on(backend), table(new Random(2)),
          new CrossValidationSpec(SMALL.with(changes -> changes.epochs(100_000)
              .columns(EncodingOptions.DEFAULT.withMissing(Missing.DROP))), THREE, 1));
      Thread.currentThread().interrupt();
      assertThrows(TrainingInterruptedException.class, () -> validation.run(new CrossValidation.Listener() {}));
      assertTrue(Thread.interrupted(), "the interrupt status is kept");
    }
  }

  @Test
  void moreSeedsThanASessionTakesAreTrainedInParts() {
    Table table = numbers(new Random(3).doubles(20).toArray(), new Random(4).doubles(20).toArray());
    try (Backend backend = new ReferenceBackend()) {
      // The reference takes 4 replicas at once. Dropout masks depend on the seed.
      TrainConfig config = SMALL.with(changes -> changes.dropout(0.3));
      List<FoldResult> together =
          new CrossValidation(TrialExecutor.on(backend), table, new CrossValidationSpec(config, THREE, 6)).run(new CrossValidation.Listener() {})
              .orElseThrow().results();
      assertArrayEquals(new long[] {42, 43, 44, 45, 46, 47},
          together.stream().limit(6).mapToLong(FoldResult::seed).toArray());
      for (int i = 0; i < 6; i++) {
        int index = i;
        List<FoldResult> single = new CrossValidation(TrialExecutor.on(backend), table, new CrossValidationSpec(
            config.with(changes -> changes.seed(42 + index).splitSeed(42)), THREE, 1)).run(new CrossValidation.Listener() {})
            .orElseThrow().results();
        for (int fold = 0; fold < 3; fold++) {
          assertEquals(single.get(fold).score(Metric.LOSS), together.get(6 * fold + i).score(Metric.LOSS), "seed " + (42 + i));
        }
      }
    }
  }

  private static Table numbers(double[] x, double[] y) {
    return Table.of(List.of(Column.ofNumbers("x", x), Column.ofNumbers("y", y)));
  }

  private static CrossValidationResult run(Table table, FoldOptions folds) {
    try (Backend backend = new ReferenceBackend()) {
      return new CrossValidation(TrialExecutor.on(backend), table, new CrossValidationSpec(SMALL, folds, 1)).run(new CrossValidation.Listener() {})
          .orElseThrow();
    }
  }
}
