package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.train.Curve;
import dev.plumb.train.TrainListener;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainerState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Trials of one network shape that are trained as replicas of one session. The result of each does not depend on the others.
 *
 * @param numbers trial numbers in ascending order; with dropout, whose masks depend on the replica, consecutive and of one cell
 */
public record TrialGroup(Study study, int[] numbers) implements ReplicaGroup {
  @Override
  public int size() {
    return numbers.length;
  }

  @Override
  public NetworkSpec network() {
    return study.cellOf(numbers[0]).network();
  }

  @Override
  public TrainingSpec training() {
    TrainingSpec training = study.training();
    return training.dropout().isEmpty() ? training
        : training.withDropout(new Dropout(training.dropout().get().probability(), study.seedOf(numbers[0])));
  }

  private double[] learningRates() {
    return Arrays.stream(numbers).mapToDouble(number -> study.cellOf(number).learningRate()).toArray();
  }

  /** Opens a session for the group; parameters are 0. */
  TrainingSession open(Backend backend) {
    return backend.open(network(), training(), numbers.length);
  }

  /** Trains the group on a backend; returns empty when the listener has stopped it. */
  Optional<List<TrialRow>> train(Backend backend, Dataset data, TrialStarts starts, TrainListener listener) {
    try (TrainingSession session = open(backend)) {
      long start = System.nanoTime();
      List<TrainerState> states = Arrays.stream(numbers).mapToObj(starts::start).toList();
      Trainer trainer = new Trainer(session, study.trainer().withTraining(training()), learningRates(), data,
          study.data().validation(), states);
      if (study.data() instanceof StudyData.Table table) {
        return trainer.withoutMetric().run(listener)
            ? Optional.of(new TableScoring(this, table, session).rows(trainer.states(), start)) : Optional.empty();
      }
      Curve curve = trainer.recordOnly(study.curveEpochs(), study.isDetailed());
      if (!trainer.run(listener)) {
        return Optional.empty();
      }
      double[] finalLoss = session.evaluate(data).loss();
      Optional<UnitStatistics> units = study.isDetailed()
          ? Optional.of(UnitStatistics.measure(session, network(), data, learningRates(), trainer)) : Optional.empty();
      double seconds = (System.nanoTime() - start) / 1e9 / numbers.length;
      List<TrialRow> rows = new ArrayList<>();
      for (int replica = 0; replica < numbers.length; replica++) {
        rows.add(row(replica, curve, finalLoss[replica], units, seconds));
      }
      return Optional.of(rows);
    }
  }

  private TrialRow row(int replica, Curve curve, double finalLoss, Optional<UnitStatistics> units, double seconds) {
    int found = curve.divergedAtEpoch()[replica];
    int diverged = found == 0 && !Double.isFinite(finalLoss) ? training().epochs() : found;
    int layers = network().layerCount();
    List<Integer> epochs = study.curveEpochs();
    double[] losses = new double[epochs.size()];
    float[] norms = new float[study.isDetailed() ? epochs.size() * layers : 0];
    for (int i = 0; i < losses.length; i++) {
      int epoch = epochs.get(i);
      boolean known = diverged == 0 || epoch < diverged;
      losses[i] = known ? curve.losses().get(epoch)[replica] : Double.NaN;
      for (int layer = 0; layer < layers && norms.length > 0; layer++) {
        norms[i * layers + layer] = known ? (float) curve.gradientNormsAtEpoch().get(epoch)[replica][layer] : Float.NaN;
      }
    }
    boolean well = diverged == 0;
    double[] last = new double[layers];
    Arrays.setAll(last, layer -> well ? curve.gradientNorms()[replica][layer] : Double.NaN);
    return new TrialRow(numbers[replica], diverged, seconds, well ? finalLoss : Double.NaN, losses, last, norms,
        floats(units, layers, of -> well ? of.updateRatios()[replica] : null),
        floats(units, layers - 1, of -> well ? of.idle()[replica] : null));
  }

  /** Returns values of a replica; NaN if it has diverged, none if they were not measured. */
  private static float[] floats(Optional<UnitStatistics> units, int length, Function<UnitStatistics, double[]> values) {
    if (units.isEmpty()) {
      return new float[0];
    }
    double[] known = values.apply(units.get());
    return TrialRow.array(length, i -> known == null ? Double.NaN : known[i]);
  }
}
