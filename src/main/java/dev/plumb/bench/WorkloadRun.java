package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.NotebookData;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.study.Study;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudySpec;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** A workload opened on a backend, ready to train. */
interface WorkloadRun extends AutoCloseable {
  /** Resets to the initial weights; not measured. */
  void restart();

  /**
   * Trains one lap and waits for its end.
   *
   * @throws DivergedException if the training is no longer finite
   */
  default void lap() {
    laps(1);
  }

  /**
   * Trains the given number of laps, if possible without waiting between them, and waits for the last one's end.
   *
   * @throws DivergedException if the training is no longer finite
   */
  void laps(int count);

  /**
   * Restarts, trains a fixed number of steps, and returns the loss over all rows, averaged over the replicas; empty if the
   * workload has no such number.
   */
  OptionalDouble lossAfterFixedSteps();

  /** Returns the name of the planner that runs the steps; empty if the backend has only one. */
  Optional<String> planner();

  /**
   * Returns the memory that the session holds on its device after a lap; empty if unknown, or if every lap opens sessions of its
   * own.
   */
  OptionalLong bytes();

  @Override
  void close();

  /** Training that is no longer finite, so that its times are meaningless. */
  final class DivergedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    DivergedException(String message) {
      super(message);
    }
  }

  /** Whole studies; a lap is one study. */
  record StudyRun(Backend backend, String name, StudySpec spec) implements WorkloadRun {
    @Override
    public void restart() {
      // Every study starts from the initial weights.
    }

    @Override
    public void laps(int count) {
      for (int lap = 0; lap < count; lap++) {
        StudyResult result = new StudyRunner(backend, Study.ofList(spec, 1, List.of())).run();
        if (result.diverged() > 0) {
          throw new DivergedException(name + " diverged, so its times are meaningless");
        }
      }
    }

    @Override
    public OptionalDouble lossAfterFixedSteps() {
      return OptionalDouble.empty();
    }

    /** Returns the planners of all networks, from sessions opened for this purpose: a study closes its own. */
    @Override
    public Optional<String> planner() {
      Set<String> planners = new TreeSet<>();
      for (StudyNetwork network : spec.networks()) {
        try (TrainingSession session = backend.open(network.network(), spec.training(), 1)) {
          session.bind(NotebookData.draw(spec.samples(), new NumpyRandom(spec.seed())));
          if (session instanceof PlannedSession planned) {
            planned.planner().map(Planner::key).ifPresent(planners::add);
          }
        }
      }
      return planners.isEmpty() ? Optional.empty() : Optional.of(String.join("+", planners));
    }

    @Override
    public OptionalLong bytes() {
      return OptionalLong.empty();
    }

    @Override
    public void close() {
      // Holds nothing between laps.
    }
  }

  /** The steps of one session, batches in row order, from the initial weights of {@link TrainingInputs}. */
  final class SessionRun implements WorkloadRun {
    private final TrainingSession session;
    private final String name;
    private final TrainingInputs inputs;
    private final TrainingSpec training;
    private final int replicas;
    private final OptionalInt stepsToLoss;
    private final StepChunk lapSteps;

    private SessionRun(TrainingSession session, String name, TrainingInputs inputs, TrainingSpec training, int replicas,
        int stepsPerLap, OptionalInt stepsToLoss) {
      this.session = session;
      this.name = name;
      this.inputs = inputs;
      this.training = training;
      this.replicas = replicas;
      this.stepsToLoss = stepsToLoss;
      lapSteps = steps(stepsPerLap);
    }

    /**
     * Opens a session on the inputs' data.
     *
     * @param name of the workload, for messages
     * @param stepsPerLap number of steps enqueued at once
     * @param stepsToLoss number of steps after which the loss over all rows is reported; empty for no loss
     */
    static SessionRun open(Backend backend, String name, TrainingInputs inputs, TrainingSpec training, int replicas,
        int stepsPerLap, OptionalInt stepsToLoss) {
      TrainingSession session = backend.open(inputs.network(), training, replicas);
      try {
        session.bind(inputs.data());
        return new SessionRun(session, name, inputs, training, replicas, stepsPerLap, stepsToLoss);
      } catch (RuntimeException | Error e) {
        session.close();
        throw e;
      }
    }

    private StepChunk steps(int count) {
      int[][] epoch = new BatchOrder(inputs.samples(), training.batchSize(), false, null).nextEpoch();
      int[][] batches = new int[count][];
      Arrays.setAll(batches, step -> epoch[step % epoch.length]);
      return StepChunk.of(count).learningRate(training.learningRate()).batches(batches).record(count - 1).build();
    }

    @Override
    public void restart() {
      int replica = 0;
      for (double[] parameters : inputs.initialParameters(replicas)) {
        session.write(Slot.PARAMETERS, replica++, parameters);
      }
    }

    @Override
    public void laps(int count) {
      for (int lap = 0; lap < count; lap++) {
        session.run(lapSteps);
      }
      sync();
    }

    private void sync() {
      for (long step : session.sync().firstNonFinite()) {
        if (step >= 0) {
          throw new DivergedException(name + " diverged in step " + step + ", so its times are meaningless");
        }
      }
    }

    @Override
    public OptionalDouble lossAfterFixedSteps() {
      if (stepsToLoss.isEmpty()) {
        return OptionalDouble.empty();
      }
      restart();
      session.run(steps(stepsToLoss.getAsInt()));
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
}
