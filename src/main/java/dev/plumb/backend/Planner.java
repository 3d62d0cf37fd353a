package dev.plumb.backend;

import dev.plumb.model.NamedEnum;

/** How a GPU takes the steps of a network. Results agree within rounding. */
public enum Planner implements NamedEnum {
  /** Fused where a network fits a block's shared memory and is estimated to be faster there; otherwise layered. */
  AUTO,
  /** Many steps of a network as one launch, one block per replica. Refuses a network that does not fit a block's shared memory. */
  FUSED,
  /** Products, activations and updates of every layer, each a launch of its own for all replicas. */
  LAYERED;

  /** @throws dev.plumb.model.InvalidInputException when there is no planner of that name; the message lists all */
  public static Planner of(String name) {
    return NamedEnum.parse(Planner.class, "planner", name);
  }
}
