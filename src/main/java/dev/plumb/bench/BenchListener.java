package dev.plumb.bench;

/** Receives the results of a benchmark, each as soon as it is measured. */
public interface BenchListener {
  /**
   * Called before a measurement.
   *
   * @param what is measured next, in a few words
   */
  default void onMeasuring(String what) {}

  default void onCeiling(Ceiling ceiling) {}

  default void onOutcome(Outcome outcome) {}

  /** @param line what could not be measured, and why */
  default void onNotMeasured(String line) {}
}
