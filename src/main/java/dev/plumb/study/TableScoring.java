package dev.plumb.study;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.Metric;
import dev.plumb.train.Scores;
import dev.plumb.train.TrainerState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The scores of the trials of a group on a table, with the best parameters of each. */
final class TableScoring {
  private final TrialGroup group;
  private final StudyData.Table table;
  private final TrainingSession session;

  /** @param session the session of the group, whose training has ended */
  TableScoring(TrialGroup group, StudyData.Table table, TrainingSession session) {
    this.group = group;
    this.table = table;
    this.session = session;
  }

  /**
   * Scores all trials.
   *
   * @param states of the replicas, after the training
   * @param start of the training, as of {@link System#nanoTime}
   */
  List<TrialRow> rows(List<TrainerState> states, long start) {
    for (int replica = 0; replica < states.size(); replica++) {
      if (states.get(replica).bestEpoch() > 0) {
        session.write(Slot.PARAMETERS, replica, states.get(replica).best());
      }
    }
    Evaluation training = session.evaluate(table.view().training());
    Dataset judged = table.view().judged();
    Evaluation evaluation = table.view().validation().map(session::evaluate).orElse(training);
    List<TrialRow> rows = new ArrayList<>();
    for (int replica = 0; replica < states.size(); replica++) {
      TrainerState state = states.get(replica);
      Optional<Scores> scores = Optional.empty();
      if (state.bestEpoch() > 0) {
        double[] outputs = new double[judged.rows() * judged.outputs()];
        session.predict(replica, judged, outputs);
        scores = table.view().score(evaluation.loss()[replica], outputs);
      }
      rows.add(row(replica, state, training.loss()[replica], scores));
    }
    double seconds = (System.nanoTime() - start) / 1e9 / states.size();
    return rows.stream().map(row -> row.withSeconds(seconds)).toList();
  }

  private TrialRow row(int replica, TrainerState state, double trainingLoss, Optional<Scores> scores) {
    List<EpochMetrics> history = state.history();
    boolean isDiverged = state.end().equals(Optional.of(TrainerState.End.DIVERGED)) || scores.isEmpty();
    int diverged = isDiverged ? Math.max(1, state.stepInEpoch() > 0 ? state.epochs() + 1 : state.epochs()) : 0;
    List<Integer> curve = group.study().curveEpochs();
    double[] losses = new double[curve.size()];
    Arrays.setAll(losses, i -> curve.get(i) <= history.size() ? history.get(curve.get(i) - 1).trainLoss() : Double.NaN);
    double[] norms = new double[group.network().layerCount()];
    Arrays.fill(norms, Double.NaN);
    if (!isDiverged) {
      norms = history.get(history.size() - 1).gradientNorms();
    }
    List<Double> values = new ArrayList<>(List.of((double) state.epochs(), (double) state.bestEpoch(),
        isDiverged ? Double.NaN : trainingLoss));
    for (Metric metric : table.metrics()) {
      values.add(isDiverged ? Double.NaN : scores.get().value(metric));
    }
    float[] none = {};
    return new TrialRow(group.numbers()[replica], diverged, 0, isDiverged ? Double.NaN : scores.get().loss(), losses, norms, none,
        none, none, values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
