package dev.plumb.check;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Evaluation;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.SessionChecks;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TeacherForced;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.data.Dataset;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A session that trains in one session and repeats every n-th step in another; chunks are cut only at checked steps. */
final class CheckedSession implements TrainingSession, Tapped, PlannedSession {
  private final DeviceInfo device;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final TrainingSession primary;
  private final TrainingSession reference;
  private final int every;
  private final CheckListener listener;
  /** Replicas that are no longer finite. */
  private final BitSet lost = new BitSet();
  private final RecordedSteps recorded = new RecordedSteps();
  private Dataset data;

  CheckedSession(DeviceInfo device, NetworkSpec network, TrainingSpec training, TrainingSession primary,
      TrainingSession reference, int every, CheckListener listener) {
    this.device = device;
    this.network = network;
    this.training = training;
    this.primary = primary;
    this.reference = reference;
    this.every = every;
    this.listener = listener;
  }

  @Override
  public void bind(Dataset rows) {
    primary.bind(rows);
    Dataset rounded = StepRows.rounded(rows, training.precision());
    reference.bind(rounded);
    data = rounded;
  }

  @Override
  public Optional<Planner> planner() {
    return primary instanceof PlannedSession planned ? planned.planner() : Optional.empty();
  }

  @Override
  public void run(StepChunk chunk) {
    if (data == null) {
      primary.run(chunk);
      return;
    }
    // Before any part of it runs: a chunk is refused as a whole.
    chunk.requireFits(data.rows(), replicas());
    SessionChecks.requireStatistics(network, chunk, data.rows());
    int done = 0;
    while (done < chunk.steps()) {
      long number = primary.stepsTaken();
      int uncheckedSteps = lost.cardinality() == replicas() ? chunk.steps() - done
          : (int) Math.min(chunk.steps() - done, (every - number % every) % every);
      if (uncheckedSteps > 0) {
        primary.run(chunk.piece(done, done + uncheckedSteps));
        done += uncheckedSteps;
      } else {
        check(chunk.piece(done, done + 1), number);
        done++;
      }
    }
  }

  private void check(StepChunk step, long number) {
    recorded.add(primary.sync(), true);
    CheckedStep where = new CheckedStep(device, network, number);
    List<Map<Slot, double[]>> before = new ArrayList<>();
    for (int replica = 0; replica < replicas(); replica++) {
      before.add(state(primary, replica));
      if (lost.get(replica)) {
        continue;
      }
      if (before.get(replica).values().stream().flatMapToDouble(Arrays::stream).allMatch(Double::isFinite)) {
        putIntoReference(replica, before.get(replica));
        if (training.precision().roundsFactors()) {
          reference.write(Slot.PARAMETERS, replica, operands(before.get(replica)));
        }
      } else {
        lost.set(replica);
        listener.notFinite(where, replica);
      }
    }
    StepChunk recording = step.recordingLosses();
    primary.run(recording);
    StepMetrics here = primary.sync();
    recorded.add(here, step.records(0));
    if (lost.cardinality() == replicas()) {
      return;
    }
    List<StepTrace> inside = new ArrayList<>();
    for (int replica = 0; replica < replicas(); replica++) {
      inside.add(lost.get(replica) ? null : inside(step, replica, here.loss()[here.loss().length - 1][replica]));
    }
    reference.stepsTaken(number);
    reference.run(recording);
    StepMetrics there = reference.sync();
    reference.stepsTaken(number);

    List<TensorCheck> checks = new ArrayList<>();
    for (int replica = lost.nextClearBit(0); replica < replicas(); replica = lost.nextClearBit(replica + 1)) {
      List<TensorCheck> ofReplica =
          compare(step, replica, before.get(replica), inside.get(replica), there.loss()[0][replica]);
      checks.addAll(ofReplica);
      if (ofReplica.stream().anyMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.DIVERGED)) {
        lost.set(replica);
      }
    }
    listener.checked(where, checks);
  }

  /** Reads the values that the device computed in a step, and has the reference read them if it repeats the operations. */
  private StepTrace inside(StepChunk step, int replica, double loss) {
    StepTrace inside = StepTrace.read(primary, network, replica, rows(step, replica).size(), loss);
    if (Bounds.repeatsOperations(network, training)) {
      ((TeacherForced) reference).force(replica, inside.z(), inside.h(), inside.a(), inside.delta());
    }
    return inside;
  }

  private List<TensorCheck> compare(
      StepChunk step, int replica, Map<Slot, double[]> before, StepTrace inside, double referenceLoss) {
    StepRows rows = rows(step, replica);
    StepTrace expected = StepTrace.read(reference, network, replica, rows.size(), referenceLoss);
    StepComparison comparison = new StepComparison(network, training, replica, operands(before), inside, expected, rows);
    comparison.compareInside();
    double[] statistics = StepTrace.vector(reference, Slot.PARAMETERS, replica);
    // Repeats the update on the reference, from the device's gradients.
    putIntoReference(replica, before);
    ((Updatable) reference).update(replica, step.learningRate(0, replica), inside.gradients());
    Map<Slot, double[]> updated = state(reference, replica);
    int trained = layout().trainedSize();
    System.arraycopy(statistics, trained, updated.get(Slot.PARAMETERS), trained, statistics.length - trained);
    comparison.compareUpdate(before, state(primary, replica), updated);
    return comparison.checks();
  }

  private StepRows rows(StepChunk step, int replica) {
    return new StepRows(data, step.batch(0, replica));
  }

  /** Returns the parameters that the products of a step read: with rounded weights, if the device rounds them. */
  private double[] operands(Map<Slot, double[]> state) {
    double[] parameters = state.get(Slot.PARAMETERS);
    if (!training.precision().roundsFactors()) {
      return parameters;
    }
    double[] operands = parameters.clone();
    for (int layer = 0; layer < network.layerCount(); layer++) {
      ParameterLayout.Slice weight = layout().weight(layer);
      for (int at = weight.offset(); at < weight.offset() + weight.size(); at++) {
        operands[at] = Bfloat16.rounded(parameters[at]);
      }
    }
    return operands;
  }

  private Map<Slot, double[]> state(TrainingSession session, int replica) {
    Map<Slot, double[]> state = new EnumMap<>(Slot.class);
    for (Slot slot : Slot.stateOf(training.optimizer())) {
      state.put(slot, StepTrace.vector(session, slot, replica));
    }
    return state;
  }

  private void putIntoReference(int replica, Map<Slot, double[]> state) {
    state.forEach((slot, values) -> reference.write(slot, replica, values));
  }

  @Override
  public StepMetrics sync() {
    recorded.add(primary.sync(), true);
    return recorded.take();
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    primary.write(slot, replica, in);
    if (slot == Slot.PARAMETERS) {
      lost.clear(replica);
    }
  }

  @Override
  public ParameterLayout layout() {
    return primary.layout();
  }

  @Override
  public int replicas() {
    return primary.replicas();
  }

  @Override
  public Evaluation evaluate(Dataset rows) {
    return primary.evaluate(rows);
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    primary.predict(replica, rows, out);
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    primary.read(slot, replica, out);
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    ((Tapped) primary).tap(where, layer, replica, out);
  }

  @Override
  public long stepsTaken() {
    return primary.stepsTaken();
  }

  @Override
  public void stepsTaken(long steps) {
    primary.stepsTaken(steps);
  }

  @Override
  public void close() {
    try (reference) {
      primary.close();
    }
  }
}
