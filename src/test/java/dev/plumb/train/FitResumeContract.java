package dev.plumb.train;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A stopped training resumes to the same bits, wherever it was stopped; every backend passes this. */
abstract class FitResumeContract {
  private static final Duration NEVER = Duration.ofDays(1);
  private static final int EPOCHS = 10;
  /** An epoch has 23 rows in mini-batches of 4. */
  private static final int STEPS_PER_EPOCH = 6;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.GELU, 5, 9, 7, 3);
  private static final Dataset TRAINING = RandomData.draw(23, NETWORK, Loss.CROSS_ENTROPY, new NumpyRandom(1));
  private static final Dataset VALIDATION = RandomData.draw(9, NETWORK, Loss.CROSS_ENTROPY, new NumpyRandom(2));

  abstract Backend open();

  abstract Precision precision();

  static Stream<Schedule> schedules() {
    return Stream.of(new Schedule.Step(3, 0.5), new Schedule.Cosine(1e-4), new Schedule.Exponential(0.8),
        new Schedule.Plateau(0, 0.5, 0), Schedule.Constant.DEFAULT);
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void trainingStoppedAfterAnyEpochResumesToTheSameBits(Schedule schedule) {
    FitSpec spec = spec(schedule, OptimizerSpec.Adam.DEFAULT, 0);
    try (Backend backend = open()) {
      List<FitState> afterEpoch = new ArrayList<>();
      FitState whole = fit(backend, spec, begin(spec), TrainListener.NONE, Duration.ZERO, state -> {
        if (state.stepInEpoch() == 0) {
          afterEpoch.add(state);
        }
      });
      assertEquals(Optional.of(FitState.End.EPOCHS), whole.end());
      assertEquals(EPOCHS - 1, afterEpoch.size());
      for (FitState from : afterEpoch) {
        assertSame("from epoch " + from.epochs(), whole, fit(backend, spec, from, TrainListener.NONE));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.plumb.backend.contract.Contract#optimizers")
  void trainingStoppedAfterEveryChunkResumesToTheSameBits(OptimizerSpec optimizer) {
    FitSpec spec = spec(new Schedule.Plateau(1, 0.5, 0), optimizer, 0);
    try (Backend backend = open()) {
      FitState whole = fit(backend, spec, begin(spec), TrainListener.NONE);
      FitState state = begin(spec);
      int pieces = 0;
      while (state.end().isEmpty()) {
        state = fit(backend, spec, state, new TrainListener() {
          @Override
          public boolean stopRequested() {
            return true;
          }
        });
        pieces++;
      }
      assertTrue(pieces > EPOCHS, pieces + " pieces: it was never stopped within an epoch");
      assertSame("piece by piece", whole, state);
    }
  }

  @Test
  void resumedTrainingEndsEarlyAtTheSameEpoch() {
    FitSpec spec = spec(Schedule.Constant.DEFAULT, OptimizerSpec.Adam.DEFAULT, 2);
    try (Backend backend = open()) {
      FitState whole = fit(backend, spec, begin(spec), TrainListener.NONE);
      assertEquals(Optional.of(FitState.End.EARLY_STOPPING), whole.end());
      assertTrue(whole.epochs() < EPOCHS, "ended after " + whole.epochs());
      for (int stopAt = 1; stopAt < whole.epochs(); stopAt++) {
        int epoch = stopAt;
        int[] done = {0};
        FitState stopped = fit(backend, spec, begin(spec), new TrainListener() {
          @Override
          public void epochFinished(EpochMetrics row, boolean best) {
            done[0] = row.epoch();
          }

          @Override
          public boolean stopRequested() {
            return done[0] == epoch;
          }
        });
        assertEquals(epoch, stopped.epochs());
        assertSame("from epoch " + epoch, whole, fit(backend, spec, stopped, TrainListener.NONE));
      }
    }
  }

  /** The history contains only the norms of an epoch's last step; recording others would cost time. */
  @Test
  void normsAreRecordedInTheLastStepOfEachEpochOnly() {
    FitSpec spec = spec(Schedule.Constant.DEFAULT, OptimizerSpec.Sgd.DEFAULT, 0);
    List<Boolean> norms = new ArrayList<>();
    try (Backend backend = open(); TrainingSession session = backend.open(NETWORK, spec.training(), 1)) {
      TrainingSession observed = (TrainingSession) Proxy.newProxyInstance(TrainingSession.class.getClassLoader(),
          new Class<?>[] {TrainingSession.class}, (proxy, method, arguments) -> {
            if (arguments != null && arguments[0] instanceof StepChunk chunk) {
              IntStream.range(0, chunk.steps()).forEach(step -> norms.add(chunk.recordsNorms(step)));
            }
            return method.invoke(session, arguments);
          });
      new Fit(observed, spec, TRAINING, Optional.of(VALIDATION), begin(spec)).run(TrainListener.NONE);
    }
    assertEquals(EPOCHS * STEPS_PER_EPOCH, norms.size());
    for (int step = 0; step < norms.size(); step++) {
      assertEquals(step % STEPS_PER_EPOCH == STEPS_PER_EPOCH - 1, norms.get(step), "step " + step);
    }
  }

  private FitSpec spec(Schedule schedule, OptimizerSpec optimizer, int patience) {
    double rate = 0.05;
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, optimizer, rate, EPOCHS).withBatchSize(4)
        .withClipNorm(3).withPrecision(precision()).withDropout(new Dropout(0.3, 5));
    return new FitSpec(training, schedule, 2, true, patience);
  }

  private static FitState begin(FitSpec spec) {
    NumpyRandom stream = new NumpyRandom(3);
    double[] parameters = Initializer.HE_NORMAL.draw(NETWORK, stream);
    return FitState.begin(spec, parameters, stream);
  }

  private static FitState fit(Backend backend, FitSpec spec, FitState from, TrainListener listener) {
    return fit(backend, spec, from, listener, NEVER, state -> {});
  }

  private static FitState fit(
      Backend backend, FitSpec spec, FitState from, TrainListener listener, Duration every, Consumer<FitState> checkpoint) {
    try (TrainingSession session = backend.open(NETWORK, spec.training(), 1)) {
      return new Fit(session, spec, TRAINING, Optional.of(VALIDATION), from).run(listener, every, checkpoint);
    }
  }

  private static void assertSame(String what, FitState expected, FitState actual) {
    assertSameBits(what + ", parameters", expected.parameters(), actual.parameters());
    assertSameBits(what + ", moment1", expected.moment1(), actual.moment1());
    assertSameBits(what + ", moment2", expected.moment2(), actual.moment2());
    assertSameBits(what + ", best", expected.best(), actual.best());
    assertEquals(expected.bestEpoch(), actual.bestEpoch(), what);
    assertEquals(expected.bestLoss(), actual.bestLoss(), what);
    assertEquals(expected.stepsTaken(), actual.stepsTaken(), what);
    assertEquals(expected.rate(), actual.rate(), what);
    assertEquals(expected.end(), actual.end(), what);
    assertArrayEquals(expected.stream().words(), actual.stream().words(), what);
    assertEquals(expected.stream().position(), actual.stream().position(), what);
    assertEquals(expected.epochs(), actual.epochs(), what);
    for (int i = 0; i < expected.epochs(); i++) {
      assertSameBits(what + ", epoch " + (i + 1), figures(expected.history().get(i)), figures(actual.history().get(i)));
      assertSameBits(what + ", norms of epoch " + (i + 1), expected.history().get(i).gradientNorms(),
          actual.history().get(i).gradientNorms());
    }
  }

  private static double[] figures(EpochMetrics row) {
    return new double[] {row.epoch(), row.trainLoss(), row.validationLoss(), row.metric(), row.learningRate()};
  }
}
