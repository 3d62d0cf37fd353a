package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The steps of one session, batches in the order of the rows, from the first weights of {@link TrainingInputs}. */
final class SessionCourse implements Course {
  private final TrainingSession session;
  private final String name;
  private final TrainingInputs inputs;
  private final TrainingSpec training;
  private final int replicas;
  private final OptionalInt stepsToLoss;
  private final StepChunk chunk;

  private SessionCourse(TrainingSession session, String name, TrainingInputs inputs, TrainingSpec training, int replicas,
      int stepsOfLap, OptionalInt stepsToLoss) {
    this.session = session;
    this.name = name;
    this.inputs = inputs;
    this.training = training;
    this.replicas = replicas;
    this.stepsToLoss = stepsToLoss;
    chunk = chunk(stepsOfLap);
  }

  /**
   * Opens a session over the inputs' data.
   *
   * @param name of the workload, in messages
   * @param stepsOfLap enqueued at once
   * @param stepsToLoss after which the loss over all rows is reported; empty where it is not
   */
  static SessionCourse open(Backend backend, String name, TrainingInputs inputs, TrainingSpec training, int replicas,
      int stepsOfLap, OptionalInt stepsToLoss) {
    TrainingSession session = backend.open(inputs.network(), training, replicas);
    try {
      session.bind(inputs.data());
      return new SessionCourse(session, name, inputs, training, replicas, stepsOfLap, stepsToLoss);
    } catch (RuntimeException | Error e) {
      session.close();
      throw e;
    }
  }

  private StepChunk chunk(int steps) {
    int[][] epoch = new BatchOrder(inputs.samples(), training.batchSize(), false, null).nextEpoch();
    int[][] rows = new int[steps][];
    Arrays.setAll(rows, step -> epoch[step % epoch.length]);
    return StepChunk.of(steps).learningRate(training.learningRate()).batches(rows).record(steps - 1).build();
  }

  @Override
  public void restart() {
    int replica = 0;
    for (double[] parameters : inputs.firstParameters(replicas)) {
      session.write(Slot.PARAMETERS, replica++, parameters);
    }
  }

  @Override
  public void lap() {
    laps(1);
  }

  @Override
  public void laps(int count) {
    for (int lap = 0; lap < count; lap++) {
      session.run(chunk);
    }
    sync();
  }

  private void sync() {
    for (long step : session.sync().firstNonFinite()) {
      if (step >= 0) {
        throw new DivergedException(name + " diverged in step " + step + ": its times mean nothing");
      }
    }
  }

  @Override
  public OptionalDouble lossFromFirstWeights() {
    if (stepsToLoss.isEmpty()) {
      return OptionalDouble.empty();
    }
    restart();
    session.run(chunk(stepsToLoss.getAsInt()));
    sync();
    return Arrays.stream(session.evaluate(inputs.data()).loss()).average();
  }

  @Override
  public Optional<String> planner() {
    return session instanceof PlannedSession planned ? planned.planner().map(Planner::key) : Optional.empty();
  }

  @Override
  public OptionalLong bytes() {
    return session instanceof MemoryFootprint sized ? OptionalLong.of(sized.bytes()) : OptionalLong.empty();
  }

  @Override
  public void close() {
    session.close();
  }
}
