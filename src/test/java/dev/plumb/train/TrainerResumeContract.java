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
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A stopped training resumes to the same bits, wherever it was stopped; every backend passes this. */
abstract class TrainerResumeContract {
  private static final Duration NEVER = Duration.ofDays(1);
  private static final int EPOCHS = 10;
  /** An epoch has 23 rows in mini-batches of 4. */
  private static final int STEPS_PER_EPOCH = 6;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.GELU, 5, 9, 7, 3);
  private static final Dataset TRAINING = RandomData.draw(23, NETWORK, Loss.CROSS_ENTROPY, new NumpyRandom(1));
  private static final Dataset VALIDATION = RandomData.draw(9, NETWORK, Loss.CROSS_ENTROPY, new NumpyRandom(2));

  abstract Backend open();

  abstract Precision precision();

  /** Returns whether a network that is trained with others gets the same bits as on its own. */
  boolean replicasAreExact() {
    return true;
  }

  static Stream<Schedule> schedules() {
    return Stream.of(new Schedule.Step(3, 0.5), new Schedule.Cosine(1e-4), new Schedule.Exponential(0.8),
        new Schedule.Plateau(0, 0.5, 0), Schedule.Constant.DEFAULT);
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void trainingStoppedAfterAnyEpochResumesToTheSameBits(Schedule schedule) {
    TrainerSpec spec = spec(schedule, OptimizerSpec.Adam.DEFAULT, 0);
    try (Backend backend = open()) {
      List<TrainerState> afterEpoch = new ArrayList<>();
      TrainerState whole = fit(backend, spec, begin(spec), TrainListener.NONE, Duration.ZERO, state -> {
        if (state.stepInEpoch() == 0) {
          afterEpoch.add(state);
        }
      });
      assertEquals(Optional.of(TrainerState.End.EPOCHS), whole.end());
      assertEquals(EPOCHS - 1, afterEpoch.size());
      for (TrainerState from : afterEpoch) {
        assertSame("from epoch " + from.epochs(), whole, fit(backend, spec, from, TrainListener.NONE));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.plumb.backend.contract.Contract#optimizers")
  void trainingStoppedAfterEveryChunkResumesToTheSameBits(OptimizerSpec optimizer) {
    TrainerSpec spec = spec(new Schedule.Plateau(1, 0.5, 0), optimizer, 0);
    try (Backend backend = open()) {
      TrainerState whole = fit(backend, spec, begin(spec), TrainListener.NONE);
      TrainerState state = begin(spec);
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
    TrainerSpec spec = spec(Schedule.Constant.DEFAULT, OptimizerSpec.Adam.DEFAULT, 2);
    try (Backend backend = open()) {
      TrainerState whole = fit(backend, spec, begin(spec), TrainListener.NONE);
      assertEquals(Optional.of(TrainerState.End.EARLY_STOPPING), whole.end());
      assertTrue(whole.epochs() < EPOCHS, "ended after " + whole.epochs());
      for (int stopAt = 1; stopAt < whole.epochs(); stopAt++) {
        int epoch = stopAt;
        int[] done = {0};
        TrainerState stopped = fit(backend, spec, begin(spec), new TrainListener() {
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

  /** A checkpoint includes the running statistics of batch normalizations. */
  @ParameterizedTest
  @EnumSource
  void normalizedTrainingWithResidualsResumesFromAFile(Normalization normalization, @TempDir Path folder) {
    if (precision() == Precision.BF16) {
      return; // refused: NormalizationContract
    }
    NetworkSpec network = NetworkSpec.of(Activation.GELU, 5, 5, 7, 7, 3).withNormalization(normalization).withResidual(true);
    TrainerSpec spec = spec(new Schedule.Cosine(1e-4), OptimizerSpec.Adam.DEFAULT_W, 0);
    Path file = folder.resolve("checkpoint.safetensors");
    try (Backend backend = open()) {
      List<TrainerState> checkpoints = new ArrayList<>();
      TrainerState start = begin(spec, spec.training().learningRate(), 3, network);
      TrainerState whole = fit(backend, network, spec, start, TrainListener.NONE, Duration.ZERO, checkpoints::add);
      assertTrue(checkpoints.size() >= EPOCHS - 1, checkpoints.size() + " checkpoints");
      for (TrainerState from : checkpoints) {
        new Checkpoint(List.of(from), new TreeMap<>()).write(file);
        assertSame("from step " + from.stepsTaken(), whole,
            fit(backend, network, spec, Checkpoint.read(file).states().get(0), TrainListener.NONE, NEVER, state -> {}));
      }
      ParameterLayout layout = ParameterLayout.of(network);
      for (int i = layout.trainedSize(); i < layout.size(); i++) {
        assertTrue(whole.parameters()[i] != start.parameters()[i], "running statistic " + i + " was never updated");
      }
    }
  }

  /**
   * Replicas with learning rates, batches, masks, plateaus and ends of their own train like each alone; so do replicas that are
   * resumed from a checkpoint file, some of which have ended.
   */
  @Test
  void replicasTrainLikeEachAloneAndResumeFromAFile(@TempDir Path folder) {
    TrainerSpec spec = spec(new Schedule.Plateau(0, 0.5, 0), OptimizerSpec.Adam.DEFAULT, 2);
    double[] learningRates = {0.05, 0.4, 1e-3, 0.02};
    List<TrainerState> begin = IntStream.range(0, learningRates.length)
        .mapToObj(replica -> begin(spec, learningRates[replica], 3 + replica)).toList();
    try (Backend backend = open()) {
      List<TrainerState> alone = new ArrayList<>();
      for (int replica = 0; replica < learningRates.length; replica++) {
        Dropout dropout = new Dropout(spec.training().dropout().get().probability(), 5 + replica);
        TrainerSpec own = spec.withTraining(spec.training().withDropout(dropout));
        alone.addAll(train(backend, own, new double[] {learningRates[replica]}, List.of(begin.get(replica)), epoch -> false));
      }
      assertTrue(alone.stream().map(TrainerState::epochs).distinct().count() > 1, "all end after the same epoch");
      List<TrainerState> together = train(backend, spec, learningRates, begin, epoch -> false);
      int first = together.stream().mapToInt(TrainerState::epochs).min().orElseThrow();
      List<TrainerState> stopped = train(backend, spec, learningRates, begin, epoch -> epoch == first + 1);
      assertTrue(stopped.stream().anyMatch(state -> state.end().isPresent()), "none has ended");
      assertTrue(stopped.stream().anyMatch(state -> state.end().isEmpty()), "all have ended");
      Path file = folder.resolve("checkpoint.safetensors");
      new Checkpoint(stopped, new TreeMap<>()).write(file);
      List<TrainerState> resumed = train(backend, spec, learningRates, Checkpoint.read(file).states(), epoch -> false);
      for (int replica = 0; replica < learningRates.length; replica++) {
        if (replicasAreExact()) {
          assertSame("replica " + replica, alone.get(replica), together.get(replica));
        }
        assertSame("resumed replica " + replica, together.get(replica), resumed.get(replica));
      }
    }
  }

  private static List<TrainerState> train(Backend backend, TrainerSpec spec, double[] learningRates, List<TrainerState> from,
      IntPredicate stopAfterEpoch) {
    try (TrainingSession session = backend.open(NETWORK, spec.training(), from.size())) {
      Trainer trainer = new Trainer(session, spec, learningRates, TRAINING, Optional.of(VALIDATION), from);
      int[] epoch = {0};
      trainer.run(new TrainListener() {
        @Override
        public void epochFinished(EpochMetrics row, boolean best) {
          epoch[0] = row.epoch();
        }

        @Override
        public boolean stopRequested() {
          return stopAfterEpoch.test(epoch[0]);
        }
      });
      return trainer.states();
    }
  }

  /** The history contains only the norms of an epoch's last step; recording others would cost time. */
  @Test
  void normsAreRecordedInTheLastStepOfEachEpochOnly() {
    TrainerSpec spec = spec(Schedule.Constant.DEFAULT, OptimizerSpec.Sgd.DEFAULT, 0);
    List<Boolean> norms = new ArrayList<>();
    try (Backend backend = open(); TrainingSession session = backend.open(NETWORK, spec.training(), 1)) {
      TrainingSession observed = (TrainingSession) Proxy.newProxyInstance(TrainingSession.class.getClassLoader(),
          new Class<?>[] {TrainingSession.class}, (proxy, method, arguments) -> {
            if (arguments != null && arguments[0] instanceof StepChunk chunk) {
              IntStream.range(0, chunk.steps()).forEach(step -> norms.add(chunk.recordsNorms(step)));
            }
            return method.invoke(session, arguments);
          });
      new Trainer(observed, spec, TRAINING, Optional.of(VALIDATION), List.of(begin(spec))).run(TrainListener.NONE);
    }
    assertEquals(EPOCHS * STEPS_PER_EPOCH, norms.size());
    for (int step = 0; step < norms.size(); step++) {
      assertEquals(step % STEPS_PER_EPOCH == STEPS_PER_EPOCH - 1, norms.get(step), "step " + step);
    }
  }

  private TrainerSpec spec(Schedule schedule, OptimizerSpec optimizer, int patience) {
    double rate = 0.05;
    TrainingSpec training = TrainingSpec.of(Loss.CROSS_ENTROPY, optimizer, rate, EPOCHS).withBatchSize(4)
        .withClipNorm(3).withPrecision(precision()).withDropout(new Dropout(0.3, 5));
    return new TrainerSpec(training, schedule, 2, true, patience);
  }

  private static TrainerState begin(TrainerSpec spec) {
    return begin(spec, spec.training().learningRate(), 3);
  }

  private static TrainerState begin(TrainerSpec spec, double learningRate, long seed) {
    return begin(spec, learningRate, seed, NETWORK);
  }

  private static TrainerState begin(TrainerSpec spec, double learningRate, long seed, NetworkSpec network) {
    NumpyRandom stream = new NumpyRandom(seed);
    double[] parameters = Initializer.HE_NORMAL.draw(network, stream);
    return TrainerState.begin(spec, learningRate, parameters, stream);
  }

  private static TrainerState fit(Backend backend, TrainerSpec spec, TrainerState from, TrainListener listener) {
    return fit(backend, spec, from, listener, NEVER, state -> {});
  }

  private static TrainerState fit(
      Backend backend, TrainerSpec spec, TrainerState from, TrainListener listener, Duration every, Consumer<TrainerState> checkpoint) {
    return fit(backend, NETWORK, spec, from, listener, every, checkpoint);
  }

  private static TrainerState fit(Backend backend, NetworkSpec network, TrainerSpec spec, TrainerState from, TrainListener listener,
      Duration every, Consumer<TrainerState> checkpoint) {
    try (TrainingSession session = backend.open(network, spec.training(), 1)) {
      Trainer trainer = new Trainer(session, spec, TRAINING, Optional.of(VALIDATION), List.of(from));
      trainer.run(listener, every, states -> checkpoint.accept(states.get(0)));
      return trainer.states().get(0);
    }
  }

  private static void assertSame(String what, TrainerState expected, TrainerState actual) {
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
