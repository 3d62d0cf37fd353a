package dev.plumb.bench;

import dev.plumb.backend.DeviceInfo;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * How fast a workload was on a backend.
 *
 * @param threads 0 for a GPU
 * @param achieved in the workload's unit
 * @param bound empty where none is measured
 * @param sessionBytes what the session held on its device
 * @param result of the training
 */
public record Outcome(
    Workload workload,
    DeviceInfo device,
    int threads,
    Figure achieved,
    Optional<Against> bound,
    OptionalLong sessionBytes,
    Result result) {
  /**
   * What was trained, and how.
   *
   * @param finalLoss over all rows and on average over the replicas, after the workload's fixed number of steps from the first weights
   * @param planner that took the steps, where the backend has several
   */
  public record Result(OptionalDouble finalLoss, Optional<String> planner) {
    static final Result NONE = new Result(OptionalDouble.empty(), Optional.empty());
  }

  /**
   * The workload's bound, measured in turns with it.
   *
   * @param name what bounds it
   * @param ceiling in the workload's unit, run by run
   * @param ratio of the bound's time to the workload's, run by run: 1 is what cannot be bettered
   */
  public record Against(String name, Figure ceiling, Figure ratio) {}
}
