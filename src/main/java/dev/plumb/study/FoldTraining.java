package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Table;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Calibration;
import dev.plumb.train.DataView;
import dev.plumb.train.Predictions;
import dev.plumb.train.PreparedData;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import dev.plumb.train.TrainListener;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainerState;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Trains networks on the training rows of a fold, and scores them on its test rows. */
final class FoldTraining {
  /**
   * Scores and predictions of a network.
   *
   * @param scores of the test rows; empty if there is no best epoch, or an output for a test row is not finite
   * @param predictions for the test rows; empty if there is no best epoch
   */
  record Scored(Optional<Scores> scores, Optional<Predictions> predictions) {}

  private FoldTraining() {}

  /**
   * Checks that the test rows of a fold can be encoded.
   *
   * @throws dev.plumb.model.InvalidInputException when they cannot
   */
  static void requireScorable(PreparedData training, Table test) {
    DataView view = training.view();
    training.config().weights().apply(
        view.encoding().encode(test, view.loss(), training.config().precision(), view.held()), test, view.encoding(), test);
  }

  /**
   * Trains networks as replicas of one session.
   *
   * @param networks on one view, which differ in their seed
   * @param listener receives the progress: epochs times networks
   * @param failedElsewhere returns true to stop
   * @throws CancellationException when the training has been stopped
   */
  static List<TrainerState> train(
      List<PreparedData> networks, Backend device, CrossValidation.Listener listener, BooleanSupplier failedElsewhere) {
    PreparedData first = networks.get(0);
    DataView view = first.view();
    int replicas = networks.size();
    int epochs = first.fit().training().epochs();
    try (TrainingSession session = device.open(first.network(), first.fit().training(), replicas)) {
      Trainer trainer = new Trainer(session, first.fit(), view.training(), view.validation(),
          networks.stream().map(PreparedData::start).toList()).withoutMetric();
      int stepsPerEpoch = trainer.stepsPerEpoch();
      int[] reached = new int[1];
      boolean isFinished = trainer.run(new TrainListener() {
        @Override
        public void stepsFinished(long steps, long totalSteps) {
          report((int) (steps / stepsPerEpoch));
        }

        private void report(int epoch) {
          synchronized (listener) {
            listener.trained((long) (epoch - reached[0]) * replicas);
          }
          reached[0] = epoch;
        }

        @Override
        public boolean stopRequested() {
          return failedElsewhere.getAsBoolean() || listener.stopRequested();
        }
      });
      if (!isFinished) {
        throw new CancellationException();
      }
      synchronized (listener) {
        listener.trained((long) (epochs - reached[0]) * replicas);
      }
      return trainer.states();
    }
  }

  /** Scores a trained network on the test rows, with the weights of its configuration. */
  static Scored score(PreparedData training, TrainerState state, Table test, Backend device) {
    if (state.bestEpoch() == 0) {
      return new Scored(Optional.empty(), Optional.empty());
    }
    TrainedModel model = Calibration.model(training, state.best(), new TreeMap<>(), Optional.empty(), device);
    try (TablePredictor predictor = new TablePredictor(device, model, model.precision())) {
      Predictions all = predictor.predict(test);
      boolean isFinite = IntStream.range(0, all.rows()).allMatch(all::isFinite);
      return new Scored(isFinite
          ? Optional.of(predictor.score(test, training.config().weights()).compact()) : Optional.empty(), Optional.of(all));
    }
  }
}
