package dev.plumb.train;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 4, 1);
  private static final NetworkSpec DEEP = NetworkSpec.of(Activation.LINEAR, 3, 2, 1);
  private static final Dataset DATA = NotebookData.draw(10, new NumpyRandom(1));
  private final Backend backend = new ReferenceBackend();

  @Test
  void fullBatchLossesAndNormsAreThoseOfTheSteps() {
    int epochs = 600;
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, epochs);
    try (TrainingSession session = started(training, 1);
        TrainingSession byHand = started(training, 1)) {
      Curve outcome = curve(session, training, List.of(1, 256, 257, epochs));
      byHand.bind(DATA);
      byHand.run(StepChunk.of(epochs).learningRate(0.01).recordAll().build());
      var metrics = byHand.sync();
      for (int epoch : new int[] {1, 256, 257, epochs}) {
        assertSameBits("loss at epoch " + epoch, metrics.loss()[epoch - 1], outcome.losses().get(epoch));
      }
      assertEquals(4, outcome.losses().size());
      assertSameBits("norms", metrics.gradientNorms()[epochs - 1][0], outcome.gradientNorms()[0]);
      assertEquals(epochs, session.stepsTaken());
      assertArrayEquals(new int[] {0}, outcome.divergedAtEpoch());
    }
  }

  /** A step's own loss is that of the units it has not dropped. */
  @Test
  void fullBatchLossesWithDropoutAreThoseOfAllUnits() {
    TrainingSpec training =
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.05, 5).withDropout(new Dropout(0.5, 1));
    try (TrainingSession session = started(training, 1);
        TrainingSession byHand = started(training, 1)) {
      Curve outcome = curve(session, training, List.of(1, 5));
      assertSameBits("at the start", byHand.evaluate(DATA).loss(), outcome.losses().get(1));
      byHand.bind(DATA);
      byHand.run(StepChunk.of(4).learningRate(0.05).build());
      byHand.sync();
      assertSameBits("before epoch 5", byHand.evaluate(DATA).loss(), outcome.losses().get(5));
      byHand.run(StepChunk.of(1).learningRate(0.05).recordAll().build());
      assertSameBits("norms", byHand.sync().gradientNorms()[0][0], outcome.gradientNorms()[0]);
    }
  }

  @Test
  void miniBatchLossesAreThoseOfAllRowsBeforeTheEpochsUpdates() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.05, 5).withBatchSize(3);
    try (TrainingSession session = started(training, 1);
        TrainingSession byHand = started(training, 1)) {
      Curve outcome = curve(session, training, List.of(1, 4));
      assertSameBits("at the start", byHand.evaluate(DATA).loss(), outcome.losses().get(1));
      byHand.bind(DATA);
      BatchOrder order = order(training, 0);
      for (int epoch = 1; epoch <= 3; epoch++) {
        for (int[] batch : order.nextEpoch()) {
          byHand.run(StepChunk.of(1).learningRate(0.05).batches(new int[][] {batch}).build());
        }
      }
      byHand.sync();
      assertSameBits("before epoch 4", byHand.evaluate(DATA).loss(), outcome.losses().get(4));
      assertEquals(5 * 4, session.stepsTaken());
    }
  }

  @Test
  void divergingTrainingEndsEarlyAndAdvancesTheStreamAsIfItHadNot() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 1e30, 3000).withBatchSize(3);
    NumpyRandom stream = new NumpyRandom(7);
    NumpyRandom undisturbed = new NumpyRandom(7);
    NumpyRandom after;
    try (TrainingSession session = started(training, 1)) {
      Trainer trainer = trainer(session, training, initial(), stream);
      Curve outcome = trainer.recordOnly(List.of(2999), false);
      assertTrue(trainer.run(TrainListener.NONE));
      after = NumpyRandom.of(trainer.states().get(0).stream());
      assertTrue(outcome.divergedAtEpoch()[0] >= 1 && outcome.divergedAtEpoch()[0] <= 10, "diverged late");
      assertTrue(session.stepsTaken() < 1000, "continued for " + session.stepsTaken() + " steps");
      assertTrue(Double.isNaN(outcome.losses().get(2999)[0]));
      assertTrue(Double.isNaN(outcome.gradientNorms()[0][0]));
    }
    for (int epoch = 0; epoch < 3000; epoch++) {
      undisturbed.permutation(DATA.rows());
    }
    assertEquals(undisturbed.randomSample(), after.randomSample());
  }

  @Test
  void divergenceIsReportedByTheEpochOfItsFirstStep() {
    for (OptionalInt batchSize : List.of(OptionalInt.empty(), OptionalInt.of(3))) {
      TrainingSpec training = new TrainingSpec(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, OptionalDouble.empty(), 30, 400, batchSize,
          Precision.FP64, Optional.empty());
      try (TrainingSession session = backend.open(DEEP, training, 1);
          TrainingSession byHand = backend.open(DEEP, training, 1)) {
        double[] parameters = Initializer.PYTORCH.draw(DEEP, new NumpyRandom(2));
        byHand.write(Slot.PARAMETERS, 0, parameters);
        Trainer trainer = trainer(session, training, parameters, new NumpyRandom(0));
        Curve curve = trainer.recordOnly(List.of(), false);
        trainer.run(TrainListener.NONE);
        int reported = curve.divergedAtEpoch()[0];
        byHand.bind(DATA);
        BatchOrder order = order(training, 0);
        int epoch = 0;
        while (byHand.sync().firstNonFinite()[0] < 0) {
          epoch++;
          byHand.run(StepChunk.of(order.stepsPerEpoch()).learningRate(30).batches(order.nextEpoch()).build());
        }
        assertTrue(epoch > 1, "diverged at once, which would show nothing");
        assertEquals(epoch, reported, "batch size " + batchSize);
      }
    }
  }

  @Test
  void otherReplicasContinueWhenOneDiverges() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1000);
    double[] parameters = Initializer.PYTORCH.draw(NETWORK, new NumpyRandom(2));
    double[] huge = parameters.clone();
    huge[huge.length - 1] = 1e308;
    try (TrainingSession both = backend.open(NETWORK, training, 2);
        TrainingSession single = started(training, 1)) {
      TrainerSpec spec = spec(training);
      Trainer trainer = new Trainer(both, spec, DATA, Optional.empty(), List.of(
          TrainerState.begin(spec, huge, new NumpyRandom(0)), TrainerState.begin(spec, parameters, new NumpyRandom(1))));
      Curve outcome = trainer.recordOnly(List.of(900), false);
      trainer.run(TrainListener.NONE);
      Curve expected = curve(single, training, List.of(900));
      assertArrayEquals(new int[] {1, 0}, outcome.divergedAtEpoch());
      assertSameBits("norms", expected.gradientNorms()[0], outcome.gradientNorms()[1]);
      assertEquals(expected.losses().get(900)[0], outcome.losses().get(900)[1]);
    }
  }

  @Test
  void progressRisesToTheLastEpoch() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 700);
    List<Long> seen = new ArrayList<>();
    try (TrainingSession session = started(training, 1)) {
      Trainer trainer = trainer(session, training, initial(), new NumpyRandom(0));
      trainer.recordOnly(List.of(), false);
      trainer.run(new TrainListener() {
        @Override
        public void stepsFinished(long steps, long totalSteps) {
          seen.add(steps);
        }
      });
    }
    assertEquals(700, seen.get(seen.size() - 1));
    assertEquals(seen.stream().sorted().toList(), seen);
    assertTrue(seen.size() > 1, seen.toString());
  }

  @Test
  void ordersAndBatchesThatDoNotFitAreRefused() {
    TrainingSpec large = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withBatchSize(11);
    try (TrainingSession session = started(large, 2)) {
      assertThrows(IllegalArgumentException.class, () -> trainer(session, large, initial(), new NumpyRandom(0)), "one state for two replicas");
    }
    try (TrainingSession session = started(large, 1)) {
      assertThrows(InvalidInputException.class, () -> trainer(session, large, initial(), new NumpyRandom(0)));
    }
  }

  /**
   * Divergence in the last step of an epoch: the losses of the steps are those before their updates, and there are no validation
   * rows whose loss would show it.
   */
  @Test
  void parametersThatOverflowInTheLastStepOfAnEpochAreNotTheBest() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 1e300, 3);
    try (TrainingSession session = started(training, 1)) {
      double[] large = initial();
      large[large.length - 1] = 1e20;
      Trainer trainer = trainer(session, training, large, new NumpyRandom(0));
      assertTrue(trainer.run(TrainListener.NONE));
      TrainerState state = trainer.states().get(0);
      assertEquals(Optional.of(TrainerState.End.DIVERGED), state.end());
      assertTrue(Double.isFinite(state.history().get(0).trainLoss()), "the loss shows it: the test shows nothing");
      assertEquals(0, state.bestEpoch());
      assertEquals(0, state.best().length);
    }
  }

  /** A metric that is undefined in an epoch never replaces a defined one, and plateau schedules are not asked. */
  @ParameterizedTest
  @EnumSource(value = Metric.class, names = {"LOSS", "ACCURACY", "MACRO_F1", "LOG_LOSS", "ROC_AUC"})
  void bestEpochIsThatOfTheWatchedMetric(Metric watch) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 4, 6, 3);
    Dataset training = RandomData.draw(40, network, Loss.CROSS_ENTROPY, new NumpyRandom(1));
    Dataset validation = RandomData.draw(20, network, Loss.CROSS_ENTROPY, new NumpyRandom(2));
    TrainerSpec spec = new TrainerSpec(TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Adam.DEFAULT, 0.05, 60).withBatchSize(8),
        Schedule.Constant.DEFAULT, 0, true, 5, watch);
    try (TrainingSession session = backend.open(network, spec.training(), 1)) {
      double[] parameters = Initializer.PYTORCH.draw(network, new NumpyRandom(3));
      Trainer trainer = new Trainer(session, spec, training, Optional.of(validation),
          List.of(TrainerState.begin(spec, parameters, new NumpyRandom(4))));
      List<Integer> best = new ArrayList<>();
      List<Double> scores = new ArrayList<>();
      trainer.run(new TrainListener() {
        @Override
        public void epochFinished(EpochMetrics epoch, boolean isBest) {
          double value = watch == Metric.LOSS ? epoch.validationLoss() : epoch.metric();
          scores.add(watch.isHigherBetter() ? -value : value);
          if (isBest) {
            best.add(epoch.epoch());
          }
        }
      });
      TrainerState state = trainer.states().get(0);
      double lowest = scores.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
      assertEquals(scores.indexOf(lowest) + 1, state.bestEpoch());
      assertEquals(best.get(best.size() - 1), state.bestEpoch());
      assertEquals(lowest, state.bestLoss());
      assertEquals(Optional.of(TrainerState.End.EARLY_STOPPING), state.end());
      assertEquals(state.bestEpoch() + 5, state.epochs());
      session.write(Slot.PARAMETERS, 0, state.best());
      if (watch == Metric.LOSS) {
        assertEquals(lowest, session.evaluate(validation).loss()[0]);
      } else {
        double[] outputs = new double[validation.rows() * validation.outputs()];
        session.predict(0, validation, outputs);
        assertEquals(watch.isHigherBetter() ? -lowest : lowest, watch.ofOutputs(validation, Loss.CROSS_ENTROPY, outputs, null));
      }
    }
  }

  /** ROC AUC is undefined for rows of one class only: the first epoch is kept then, not none. */
  @Test
  void undefinedMetricKeepsTheFirstEpoch() {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 2);
    Dataset training = Dataset.ofClasses(2, 2, new double[] {1, 2, 3, 4}, new int[] {0, 1});
    Dataset validation = Dataset.ofClasses(2, 2, new double[] {1, 2, 3, 5}, new int[] {1, 1});
    TrainerSpec spec = new TrainerSpec(TrainingSpec.of(Loss.CROSS_ENTROPY, OptimizerSpec.Adam.DEFAULT, 0.05, 4),
        Schedule.Constant.DEFAULT, 0, true, 0, Metric.ROC_AUC);
    try (TrainingSession session = backend.open(network, spec.training(), 1)) {
      Trainer trainer = new Trainer(session, spec, training, Optional.of(validation),
          List.of(TrainerState.begin(spec, new double[6], new NumpyRandom(4))));
      assertTrue(trainer.run(TrainListener.NONE));
      assertEquals(1, trainer.states().get(0).bestEpoch());
      assertEquals(Optional.of(TrainerState.End.EPOCHS), trainer.states().get(0).end());
    }
  }

  @Test
  void recordingNeedsATrainingThatDependsOnNoLoss() {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3);
    for (TrainerSpec spec : List.of(new TrainerSpec(training, Schedule.Plateau.DEFAULT, 0, true, 0),
        new TrainerSpec(training, Schedule.Constant.DEFAULT, 0, true, 1))) {
      try (TrainingSession session = started(training, 1)) {
        Trainer trainer = new Trainer(session, spec, DATA, Optional.empty(),
            List.of(TrainerState.begin(spec, initial(), new NumpyRandom(0))));
        assertThrows(IllegalArgumentException.class, () -> trainer.recordOnly(List.of(), false));
      }
    }
  }

  private TrainingSession started(TrainingSpec training, int replicas) {
    TrainingSession session = backend.open(NETWORK, training, replicas);
    session.write(Slot.PARAMETERS, 0, initial());
    return session;
  }

  private static double[] initial() {
    return Initializer.PYTORCH.draw(NETWORK, new NumpyRandom(2));
  }

  private static TrainerSpec spec(TrainingSpec training) {
    return new TrainerSpec(training, Schedule.Constant.DEFAULT, 0, true, 0);
  }

  private static Trainer trainer(TrainingSession session, TrainingSpec training, double[] parameters, NumpyRandom stream) {
    TrainerSpec spec = spec(training);
    return new Trainer(session, spec, DATA, Optional.empty(), List.of(TrainerState.begin(spec, parameters, stream)));
  }

  private static Curve curve(TrainingSession session, TrainingSpec training, List<Integer> epochs) {
    Trainer trainer = trainer(session, training, initial(), new NumpyRandom(0));
    Curve curve = trainer.recordOnly(epochs, false);
    assertTrue(trainer.run(TrainListener.NONE));
    return curve;
  }

  private static BatchOrder order(TrainingSpec training, long seed) {
    return new BatchOrder(DATA.rows(), training.batchSize(), true, new NumpyRandom(seed));
  }
}
