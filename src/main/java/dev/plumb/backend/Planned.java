package dev.plumb.backend;

/** A session that has several ways to take its steps. For benchmarks and messages only. */
public interface Planned {
  /**
   * Returns the name of the planner that takes the steps.
   *
   * @throws IllegalStateException when no data is bound
   */
  String planner();
}
