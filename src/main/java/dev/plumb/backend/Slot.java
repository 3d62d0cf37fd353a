package dev.plumb.backend;

import dev.plumb.model.OptimizerSpec;
import java.util.EnumSet;
import java.util.Set;

/** The vectors that a session keeps for each replica, each in the layout of {@link dev.plumb.model.ParameterLayout}. */
public enum Slot {
  /** Weights, biases, scales and shifts of normalizations, and running statistics of batch normalizations. */
  PARAMETERS,
  /** Gradients of the last step's loss with respect to the parameters, before clipping and without weight decay. */
  GRADIENTS,
  /** Momentum buffer of sgd, first moment of adam and adamw. */
  MOMENT1,
  /** Running mean of squared gradients of adam, adamw and rmsprop. */
  MOMENT2;

  /**
   * Returns the vectors that a checkpoint must contain, besides the number of steps taken, so that training resumes bit for bit.
   */
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
