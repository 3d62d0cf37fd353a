package dev.plumb.backend;

import java.util.Optional;

/** A session that reports which planner runs its steps. */
public interface PlannedSession {
  /**
   * Returns the planner that runs the steps over the bound data, {@link Planner#FUSED} or {@link Planner#LAYERED}; empty while no
   * data is bound.
   */
  Optional<Planner> planner();
}
