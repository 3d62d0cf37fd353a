package dev.plumb;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Schedule;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** Training through the library: devices, the log, listeners and scores. */
class PlumbTest {
  private static final Table IRIS = Plumb.read(Path.of("src/test/resources/tables/iris.csv"));
  private static final Table DIABETES = Plumb.read(Path.of("src/test/resources/tables/diabetes.csv"));
  private static final TrainConfig SHORT = TrainConfig.DEFAULT.with(c -> c.hidden(8).epochs(6));

  @Test
  void deviceIsLogged() {
    List<LogRecord> records = new ArrayList<>();
    Handler handler = new Handler() {
      @Override
      public void publish(LogRecord logged) {
        records.add(logged);
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    Logger logger = Logger.getLogger("dev.plumb");
    logger.addHandler(handler);
    try {
      Plumb.train(IRIS, SHORT, Device.CPU);
    } finally {
      logger.removeHandler(handler);
    }
    assertEquals(1, records.size());
    assertEquals(Level.INFO, records.get(0).getLevel());
    assertTrue(records.get(0).getMessage().matches("training on device cpu \\(\\d+ threads?\\): as asked for"),
        records.get(0).getMessage());
  }

  @Test
  void searchReturnsAConfigurationToTrain() {
    TrainConfig base = SHORT.with(c -> c.epochs(30));
    String space = "{\"learningRate\": {\"log\": [0.01, 0.03]}, \"width\": {\"choice\": [5, 7]}}";
    TrainConfig winner = Plumb.tune(IRIS, base, space, 8, Device.CPU);
    assertEquals(winner, Plumb.tune(IRIS, base, space, 8, Device.CPU));
    double rate = winner.trainer().training().learningRate();
    assertTrue(rate >= 0.01 && rate <= 0.03 && winner.hidden().get(0) <= 7, "the base learns too slowly: " + winner);
    assertEquals(0, winner.validation());
    assertTrue(Plumb.train(IRIS, winner, Device.CPU).score(IRIS).accuracy() > 0.9);
    TrainConfig only = Plumb.tune(IRIS, SHORT, 1, Device.CPU);
    assertEquals(List.of(8), only.hidden());
    assertEquals(6, only.trainer().training().epochs());
  }

  @Test
  void searchOfDivergingTrainingsIsRefused() {
    TrainConfig base = SHORT.with(c -> c.optimizer(OptimizerSpec.Sgd.DEFAULT).learningRate(1e30));
    String message = assertThrows(InvalidInputException.class,
        () -> Plumb.tune(DIABETES, base, "{\"width\": {\"choice\": [3, 5]}}", 3, Device.CPU)).getMessage();
    assertEquals("the trainings of all candidates diverged; use a space with lower learning rates", message);
  }

  @Test
  void nameAndDeviceAreTheSame() {
    double[] expected = Plumb.train(IRIS, SHORT, Device.CPU).trained().parameters();
    assertSameBits("by name", expected, Plumb.train(IRIS, SHORT, "cpu").trained().parameters());
  }

  @Test
  void listenerSeesEveryEpochAndAllSteps() {
    List<EpochMetrics> epochs = new ArrayList<>();
    List<Long> steps = new ArrayList<>();
    Model model = Plumb.train(IRIS, SHORT, Device.CPU, new TrainListener() {
      @Override
      public void epochFinished(EpochMetrics epoch, boolean best) {
        epochs.add(epoch);
      }

      @Override
      public void stepsFinished(long finished, long total) {
        // 150 rows in batches of 32.
        assertEquals(6 * 5, total);
        steps.add(finished);
      }
    });
    assertEquals(model.history(), epochs);
    assertEquals(6, epochs.size());
    assertEquals(30L, steps.get(steps.size() - 1));
    assertEquals(steps.stream().sorted().distinct().toList(), steps);
  }

  /** The learning rate is constant, so that a training of 4 epochs equals the first 4 epochs of a longer one. */
  @Test
  void stopGivesTheBestModelSoFar() {
    TrainConfig config =
        SHORT.with(c -> c.schedule(Schedule.Constant.DEFAULT).optimizer(OptimizerSpec.Adam.DEFAULT).validation(0));
    Model expected = Plumb.train(IRIS, config.with(c -> c.epochs(4)), Device.CPU);
    Model actual = Plumb.train(IRIS, config, Device.CPU, new TrainListener() {
      private int finished;

      @Override
      public void epochFinished(EpochMetrics epoch, boolean best) {
        finished = epoch.epoch();
      }

      @Override
      public boolean stopRequested() {
        return finished == 4;
      }
    });
    assertEquals(4, actual.history().size());
    assertSameBits("parameters", expected.trained().parameters(), actual.trained().parameters());
  }

  @Test
  void stopBeforeTheFirstEpochGivesTheModelOfTheLastStep() {
    Model model = Plumb.train(IRIS, SHORT, Device.CPU, new TrainListener() {
      @Override
      public boolean stopRequested() {
        return true;
      }
    });
    assertEquals(List.of(), model.history());
    assertEquals(150, model.predict(IRIS).rows());
  }

  @Test
  void exceptionOfAListenerEndsTheTraining() {
    IllegalArgumentException thrown = new IllegalArgumentException("of the listener");
    TrainListener throwing = new TrainListener() {
      @Override
      public void epochFinished(EpochMetrics epoch, boolean best) {
        throw thrown;
      }
    };
    assertEquals(thrown,
        assertThrows(IllegalArgumentException.class, () -> Plumb.train(IRIS, SHORT, Device.CPU, throwing)));
  }

  @Test
  void scoresHaveTheFiguresOfTheirTaskOnly() {
    var classes = Plumb.train(IRIS, SHORT, Device.CPU).score(IRIS);
    assertTrue(classes.accuracy() > 0.3);
    assertEquals(150, classes.rows());
    assertEquals("the model predicts classes, which have no R²; use accuracy()",
        assertThrows(IllegalStateException.class, classes::r2).getMessage());
    assertThrows(IllegalStateException.class, classes::mae);
    assertThrows(IllegalStateException.class, classes::rmse);
    var numbers = Plumb.train(DIABETES, SHORT, Device.CPU).score(DIABETES);
    assertTrue(numbers.r2() < 1 && numbers.mae() > 0 && numbers.rmse() >= numbers.mae());
    assertEquals(DIABETES.rows(), numbers.rows());
    assertEquals("the model predicts numbers, which have no accuracy; use r2(), mae() or rmse()",
        assertThrows(IllegalStateException.class, numbers::accuracy).getMessage());
  }

  @Test
  void scoresOfDevicesAgree() {
    Model model = Plumb.train(DIABETES, SHORT, Device.CPU);
    assertEquals(model.score(DIABETES).loss(), model.score(DIABETES, Device.REFERENCE).loss(), 1e-5);
  }
}
