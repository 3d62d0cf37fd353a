package dev.plumb.backend;

import dev.plumb.model.NamedEnum;

/** The implementation of training steps on a GPU. Results of two planners agree within rounding. */
public enum Planner implements NamedEnum {
  /** Fused where the network fits the shared memory of a block and is estimated to train faster that way; otherwise layered. */
  AUTO,
  /** Many steps in one launch, one block per replica. Refuses a network that does not fit the shared memory of a block. */
  FUSED,
  /** Products, activations and updates of each layer as separate launches, each for all replicas. */
  LAYERED;

  /**
   * Returns the planner of the given name.
   *
   * @throws dev.plumb.model.InvalidInputException when there is none; the message lists all
   */
  public static Planner of(String name) {
    return NamedEnum.parse(Planner.class, "planner", name);
  }
}
