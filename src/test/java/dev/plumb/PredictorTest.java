package dev.plumb;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.InferenceSession;
import dev.plumb.data.Column;
import dev.plumb.data.Table;
import dev.plumb.model.Activation;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import dev.plumb.train.Predictor;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A predictor gives a row the same bits alone, in a table, and while other threads predict. */
class PredictorTest {
  private static final int ROWS = 1000;
  /** Around the sizes at which the computation is cut or vectorized differently. */
  private static final int[] SIZES = {1, 2, 3, 7, 8, 9, 31, 127, 128, 129, 255, 257, 513, ROWS};

  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32"})
  void rowsOfNarrowNetworksHaveTheSameBitsAloneAndInTables(Precision precision) {
    for (Activation activation : Activation.values()) {
      Model model = model(table(ROWS, 3, 2),
          TrainConfig.DEFAULT.with(c -> c.hidden(7, 5).activation(activation).precision(precision)));
      try (Predictor predictor = model.predictor()) {
        assertSameAtEverySize(activation + " " + precision, model, predictor, table(ROWS, 3, 2), SIZES);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP64", "FP32"})
  void rowsOfWideNetworksHaveTheSameBitsAloneAndInTables(Precision precision) {
    Table table = table(ROWS, 300, 10);
    for (Activation activation : List.of(Activation.RELU, Activation.GELU)) {
      Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(512, 512).activation(activation).precision(precision)));
      try (Predictor predictor = model.predictor()) {
        assertSameAtEverySize(activation + " " + precision, model, predictor, table, 1, 3, 8, 257, 600);
      }
    }
  }

  @Test
  void rowsHaveTheSameBitsOnTheReference() {
    Table table = table(40, 5, 3);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(6)));
    try (Predictor predictor = model.predictor(Device.REFERENCE)) {
      double[] expected = figures(predictor.predict(table));
      for (int row = 0; row < table.rows(); row++) {
        assertSameBits("row " + row, slice(expected, row, 1, 3), figures(predictor.predict(table.rows(new int[] {row}))));
      }
    }
  }

  @Test
  void sixtyFourThreadsGetTheBitsOfOne() throws Exception {
    Table table = table(ROWS, 20, 4);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(64, 64)));
    double[] expected = figures(model.predict(table));
    int threads = 64;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try (Predictor predictor = model.predictor()) {
      CountDownLatch start = new CountDownLatch(threads);
      List<Future<Void>> results = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        int first = thread;
        results.add(pool.submit((Callable<Void>) () -> {
          start.countDown();
          start.await();
          for (int i = 0; i < 200; i++) {
            int row = (first * 31 + i) % ROWS;
            assertSameBits("row " + row, slice(expected, row, 1, 4), figures(predictor.predict(numbers(table, row))));
            if (i % 50 == 0) {
              assertSameBits("all rows", expected, figures(predictor.predict(table)));
            }
          }
          return null;
        }));
      }
      for (Future<Void> result : results) {
        result.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** Closed while others predict: each call returns its result, or refuses. */
  @ParameterizedTest
  @EnumSource(value = Device.Kind.class, names = {"CPU", "REFERENCE"})
  void closingLetsCallsFinishAndRefusesLaterOnes(Device.Kind kind) throws Exception {
    Table table = table(200, 20, 4);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(16)));
    Predictor predictor = model.predictor(new Device(kind, 0));
    double[] expected = figures(predictor.predict(table));
    int threads = 8;
    CountDownLatch predicting = new CountDownLatch(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        results.add(pool.submit(() -> {
          for (int calls = 0;; calls++) {
            double[] figures;
            try {
              figures = figures(predictor.predict(table));
            } catch (IllegalStateException e) {
              assertEquals("this predictor is closed", e.getMessage());
              return calls;
            }
            assertSameBits("call " + calls, expected, figures);
            if (calls == 0) {
              predicting.countDown();
            }
          }
        }));
      }
      predicting.await();
      predictor.close();
      predictor.close();
      for (Future<Integer> result : results) {
        assertTrue(result.get() > 0);
      }
      assertThrows(IllegalStateException.class, () -> predictor.predict(numbers(table, 0)));
      assertSameBits("the model itself stays usable", figures(model.predict(table)), figures(model.predict(table)));
    } finally {
      pool.shutdownNow();
    }
  }

  /** A large table is predicted in several calls of the session. */
  @Test
  void closingWaitsForAllPartsOfATable() {
    Model model = model(table(4, 1, 2), TrainConfig.DEFAULT.with(c -> c.hidden(1)));
    AtomicReference<Predictor> predictor = new AtomicReference<>();
    AtomicBoolean closed = new AtomicBoolean();
    AtomicInteger calls = new AtomicInteger();
    Thread closer = new Thread(() -> predictor.get().close());
    predictor.set(new Predictor(model.trained(), Precision.FP32, new InferenceSession() {
      @Override
      public void outputs(double[] x, int rows, double[] out) {
        assertFalse(closed.get(), "closed before the call has ended");
        if (calls.getAndIncrement() == 0) {
          closer.start();
          while (closer.getState() != Thread.State.WAITING && closer.getState() != Thread.State.TERMINATED) {
            Thread.onSpinWait();
          }
        }
      }

      @Override
      public void close() {
        closed.set(true);
      }
    }));
    int rows = 1_400_000;
    assertEquals(rows, predictor.get().predict(Table.of(List.of(Column.ofNumbers("x0", new double[rows])))).rows());
    assertTrue(calls.get() > 1);
    assertDoesNotThrow(() -> closer.join());
    assertTrue(closed.get());
  }

  @Test
  void categoriesMayBeNumbersOfAnyType() {
    Table table = Table.of(List.of(Column.ofText("share", "0.1", "0.2", "0.1", "0.2"), Column.ofNumbers("price", 3, 1, 4, 1)));
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(4)));
    try (Predictor predictor = model.predictor()) {
      double expected = predictor.predict(Map.of("share", "0.1")).number(0);
      assertNotEquals(expected, predictor.predict(Map.of("share", "0.2")).number(0));
      assertEquals(expected, predictor.predict(Map.of("share", 0.1)).number(0));
      assertEquals(expected, predictor.predict(Map.of("share", 0.1f)).number(0));
    }
  }

  @Test
  void threadOfADeviceEndsWithItsPredictor() throws Exception {
    Table table = table(4, 2, 2);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(3)));
    Predictor predictor = model.predictor(Device.REFERENCE);
    predictor.predict(table);
    List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().equals("plumb-inference")).toList();
    assertTrue(threads.size() >= 1);
    predictor.close();
    for (Thread thread : threads) {
      thread.join(10_000);
      assertTrue(!thread.isAlive());
    }
  }

  @Test
  void interruptedThreadsPredict() {
    Table table = table(4, 2, 2);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(3)));
    try (Predictor predictor = model.predictor(Device.REFERENCE)) {
      double[] expected = figures(predictor.predict(table));
      Thread.currentThread().interrupt();
      assertSameBits("interrupted", expected, figures(predictor.predict(table)));
      assertTrue(Thread.interrupted());
    }
  }

  /** A CPU has no tensor cores. */
  @Test
  void tensorCorePrecisionsArePredictedInSinglePrecisionOnTheCpu() {
    Table table = table(4, 2, 2);
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(3));
    Model single = model(table, config.with(c -> c.precision(Precision.FP32)));
    for (Precision precision : List.of(Precision.TF32, Precision.BF16)) {
      Model model = model(table, config.with(c -> c.precision(precision)));
      assertSameBits(precision.key(), figures(single.predict(table)), figures(model.predict(table)));
      assertEquals(single.score(table, Device.CPU).loss(), model.score(table, Device.CPU).loss());
    }
  }

  @Test
  void mapsAndNumbersAndTablesAreEncodedAlike() {
    Table table = Table.of(List.of(
        Column.ofText("color", "red", "blue", "green", "blue", "red", "green"),
        Column.ofNumbers("size", 1, 2.5, 3, -4, 5, 6e3),
        Column.ofNumbers("price", 3, 1, 4, 1, 5, 9)));
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(4)));
    assertEquals(List.of("color", "size"), model.featureNames());
    double[] expected = figures(model.predict(table));
    try (Predictor predictor = model.predictor()) {
      assertEquals(model.featureNames(), predictor.featureNames());
      for (int row = 0; row < table.rows(); row++) {
        Map<String, Object> values = new HashMap<>();
        values.put("color", table.column("color").text(row));
        values.put("size", table.column("size").number(row));
        values.put("other", "ignored");
        assertSameBits("row " + row, slice(expected, row, 1, 1), figures(predictor.predict(values)));
      }
      double wholeNumber = predictor.predict(Map.of("color", "red", "size", 5)).number(0);
      assertEquals(predictor.predict(Map.of("color", "red", "size", 5.0)).number(0), wholeNumber);
    }
  }

  private static void assertSameAtEverySize(String what, Model model, Predictor predictor, Table table, int... sizes) {
    Predictions all = model.predict(table);
    int width = all.hasClasses() ? all.classNames().size() : all.targetNames().size();
    double[] expected = figures(all);
    for (int size : sizes) {
      int[] rows = IntStream.range(ROWS - size, ROWS).toArray();
      assertSameBits(what + ", " + size + " rows", slice(expected, ROWS - size, size, width),
          figures(predictor.predict(table.rows(rows))));
    }
    for (int row = 0; row < 40; row++) {
      assertSameBits(what + ", row " + row, slice(expected, row, 1, width), figures(predictor.predict(numbers(table, row))));
    }
  }

  /** Features x0, x1, ... of normal numbers; the target y has so many classes, drawn at random, and each occurs. */
  static Table table(int rows, int features, int classes) {
    NumpyRandom random = new NumpyRandom(rows + features);
    List<Column> columns = new ArrayList<>();
    for (int feature = 0; feature < features; feature++) {
      columns.add(Column.ofNumbers("x" + feature,
          IntStream.range(0, rows).mapToDouble(row -> random.standardNormal()).toArray()));
    }
    int[] order = random.permutation(rows);
    columns.add(Column.ofText("y",
        IntStream.range(0, rows).mapToObj(row -> "class " + order[row] % classes).toArray(String[]::new)));
    return Table.of(columns);
  }

  /** A model with the parameters that a training begins with. */
  static Model model(Table table, TrainConfig config) {
    PreparedData prepared = PreparedData.of(table, config.with(c -> c.validation(0)));
    return new Model(new TrainedModel(prepared.network(), prepared.view().loss(), config.precision(), prepared.view().encoding(),
        prepared.start().parameters(), new TreeMap<>()), List.of(), Optional.empty());
  }

  static double[] numbers(Table table, int row) {
    return table.columns().stream().filter(column -> !column.name().equals("y"))
        .mapToDouble(column -> column.number(row)).toArray();
  }

  /** [rows x classes or targets]. */
  static double[] figures(Predictions predictions) {
    int width = predictions.hasClasses() ? predictions.classNames().size() : predictions.targetNames().size();
    double[] figures = new double[predictions.rows() * width];
    for (int i = 0; i < figures.length; i++) {
      figures[i] = predictions.hasClasses()
          ? predictions.probability(i / width, i % width) : predictions.number(i / width, i % width);
    }
    return figures;
  }

  static double[] slice(double[] figures, int firstRow, int rows, int width) {
    return Arrays.copyOfRange(figures, firstRow * width, (firstRow + rows) * width);
  }
}
