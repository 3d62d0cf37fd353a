package dev.plumb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.data.Table;
import dev.plumb.model.Precision;
import dev.plumb.store.TensorBoardEvents;
import dev.plumb.study.Study;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudySpecReader;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainingInterruptedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library in interrupted threads: trainings end; files are still read and written. */
class InterruptTest {
  private static final Path IRIS = Path.of("src/test/resources/tables/iris.csv");
  private static final int MANY_EPOCHS = 100_000_000;
  private static final String MANY_NETWORKS = """
      {"epochs": 100000000, "networks": [{"layers": [3,2,1], "activation": "relu"}, {"layers": [3,3,1], "activation": "relu"}]}""";
  private static final String GRID = """
      {"epochs": 2000000, "grid": {"depth": [1, 2], "width": [2], "seeds": 40}}""";

  @TempDir Path folder;

  @AfterEach
  void clearInterrupt() {
    Thread.interrupted();
  }

  @Test
  void modelsAreReadWrittenAndUsed() throws Exception {
    Table table = Plumb.read(IRIS);
    Model model = Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.epochs(2)));
    Path file = folder.resolve("model.safetensors");
    model.save(file);
    double expected = model.score(table).accuracy();

    Thread.currentThread().interrupt();
    Path again = folder.resolve("again.safetensors");
    Model read = Plumb.load(file);
    assertEquals(expected, read.score(Plumb.read(IRIS)).accuracy());
    read.save(again);
    read.saveOnnx(folder.resolve("model.onnx"));
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
    assertTrue(Thread.currentThread().isInterrupted());
  }

  @Test
  void eventsAreWritten() throws Exception {
    Thread.currentThread().interrupt();
    Path file;
    try (TensorBoardEvents events = TensorBoardEvents.create(folder, 1)) {
      file = events.file();
      long before = Files.size(file);
      events.scalars(1, Map.of("loss/train", 0.5));
      assertTrue(Files.size(file) > before);
    }
    assertTrue(Thread.currentThread().isInterrupted());
  }

  @Test
  void trainingOfAnInterruptedThreadDoesNotBegin() {
    Table table = Plumb.read(IRIS);
    Thread.currentThread().interrupt();
    TrainingInterruptedException thrown =
        assertThrows(TrainingInterruptedException.class, () -> Plumb.train(table, TrainConfig.DEFAULT));
    assertEquals("the training was interrupted before its first step; it gives no model", thrown.getMessage());
    assertTrue(Thread.currentThread().isInterrupted());
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 64})
  void trainingEndsSoonAfterAnInterrupt(int units) throws Exception {
    Table table = Plumb.read(IRIS);
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(units).epochs(MANY_EPOCHS).earlyStopping(0).validation(0));
    Throwable thrown = interrupted(() -> Plumb.train(table, config), 500);
    assertTrue(thrown.getMessage().matches("the training was interrupted (in epoch \\d+ of 100000000|before its first step);"
        + " it gives no model"), thrown.getMessage());
  }

  @Test
  void choiceByFoldsEndsSoonAfterAnInterrupt() throws Exception {
    Table table = Plumb.read(IRIS);
    Throwable thrown = interrupted(() -> Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.epochs(MANY_EPOCHS))), 500);
    assertEquals("the training was interrupted while folds were in training to choose its configuration; it gives no model",
        thrown.getMessage());
  }

  @Test
  void searchEndsSoonAfterAnInterrupt() throws Exception {
    Table table = Plumb.read(IRIS);
    Throwable thrown =
        interrupted(() -> Plumb.tune(table, TrainConfig.DEFAULT.with(c -> c.epochs(MANY_EPOCHS)), 5, Device.CPU), 500);
    assertEquals("the training was interrupted while candidates of a search were in training; it gives no model",
        thrown.getMessage());
  }

  @Test
  void studyEndsSoonAfterAnInterrupt() throws Exception {
    try (Backend backend = Backends.open("cpu", Backends.Usage.STANDARD).backend()) {
      StudyRunner runner = new StudyRunner(backend, Study.ofList(StudySpecReader.parse(MANY_NETWORKS).spec(), 1, List.of()));
      CountDownLatch trains = new CountDownLatch(1);
      interrupted(() -> runner.run((group, epochs) -> trains.countDown()), trains);
    }
  }

  @Test
  void gridEndsSoonAfterAnInterrupt() throws Exception {
    try (Backend backend = Backends.open("cpu", Backends.Usage.STANDARD).backend()) {
      StudyRunner runner = new StudyRunner(backend, StudySpecReader.parse(GRID).gridStudy().withPrecision(Precision.FP64));
      CountDownLatch trains = new CountDownLatch(1);
      interrupted(() -> runner.run((group, epochs) -> trains.countDown()), trains);
    }
  }

  private static Throwable interrupted(Runnable training, int millis) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Boolean> kept = new AtomicReference<>(false);
    Thread thread = new Thread(() -> {
      try {
        training.run();
      } catch (RuntimeException | Error e) {
        thrown.set(e);
        kept.set(Thread.currentThread().isInterrupted());
      }
    });
    thread.start();
    Thread.sleep(millis);
    thread.interrupt();
    thread.join(20_000);
    assertFalse(thread.isAlive(), "the training continues");
    assertEquals(TrainingInterruptedException.class, thrown.get().getClass(), String.valueOf(thrown.get()));
    assertTrue(kept.get(), "the interrupt status is lost");
    return thrown.get();
  }

  private static void interrupted(Runnable training, CountDownLatch trains) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread = new Thread(() -> {
      try {
        training.run();
      } catch (RuntimeException | Error e) {
        thrown.set(e);
      }
    });
    thread.start();
    trains.await();
    thread.interrupt();
    thread.join(20_000);
    assertFalse(thread.isAlive(), "the training continues");
    assertEquals(TrainingInterruptedException.class, thrown.get().getClass(), String.valueOf(thrown.get()));
  }
}
