package dev.plumb.backend;

import dev.plumb.model.OptimizerSpec;
import java.util.EnumSet;
import java.util.Set;

/** The vectors a session keeps for each replica, every one laid out as {@link dev.plumb.model.ParameterLayout} says. */
public enum Slot {
  /** Weights and biases. */
  PARAMETERS,
  /** Of the last step's loss, as differentiation gives them: before clipping and without weight decay. */
  GRADIENTS,
  /** The running mean of gradients: sgd's momentum buffer, adam's first moment. */
  MOMENT1,
  /** The running mean of squared gradients, of adam and rmsprop. */
  MOMENT2;

  /** What a checkpoint must hold for training to go on bit for bit, besides the number of steps taken. */
  public static Set<Slot> stateOf(OptimizerSpec optimizer) {
    Set<Slot> state = EnumSet.of(PARAMETERS);
    if (optimizer.usesFirstMoment()) {
      state.add(MOMENT1);
    }
    if (optimizer.usesSecondMoment()) {
      state.add(MOMENT2);
    }
    return state;
  }
}
