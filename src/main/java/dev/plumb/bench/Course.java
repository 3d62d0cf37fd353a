package dev.plumb.bench;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** A workload on a backend. */
interface Course extends AutoCloseable {
  /** Back to the first weights; not measured. */
  void restart();

  /** Trains one lap, to its end. */
  void lap();

  /** Trains so many laps, to the end of the last one; a course that can enqueues them without waiting in between. */
  default void laps(int count) {
    for (int lap = 0; lap < count; lap++) {
      lap();
    }
  }

  /** Restarts, trains a fixed number of steps, and returns the loss over all rows; empty where the workload has no such number. */
  default OptionalDouble lossFromFirstWeights() {
    return OptionalDouble.empty();
  }

  /** Returns the name of the planner that takes the steps; empty where the backend has only one. */
  default Optional<String> planner() {
    return Optional.empty();
  }

  /** What the session holds on its device after a lap; empty where it does not say, or a lap has sessions of its own. */
  OptionalLong bytes();

  @Override
  void close();
}
