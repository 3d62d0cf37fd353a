package dev.plumb.backend;

import java.util.Optional;

/** A session that says which planner takes its steps. */
public interface Planned {
  /** The planner of the steps over the bound data, {@link Planner#FUSED} or {@link Planner#LAYERED}; empty where there is none. */
  Optional<Planner> planner();
}
