package dev.plumb.bench;

import dev.plumb.backend.DeviceInfo;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How fast a workload was on a backend.
 *
 * @param threads 0 for a card
 * @param achieved in the workload's unit
 * @param bound empty where none is measured
 * @param sessionBytes what the session held on its device
 */
public record Outcome(
    Workload workload, DeviceInfo device, int threads, Figure achieved, Optional<Against> bound, OptionalLong sessionBytes) {
  /**
   * The workload's bound, measured in turns with it.
   *
   * @param name what bounds it
   * @param ceiling in the workload's unit, run by run
   * @param ratio of the bound's time to the workload's, run by run: 1 is what cannot be bettered
   */
  public record Against(String name, Figure ceiling, Figure ratio) {}
}
