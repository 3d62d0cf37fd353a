package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;

/**
 * Plain gradient descent in one pass over what one thread has just computed. The gradients need not stand where all of them do:
 * those that nobody asks for are thus never written to memory, which for wide networks was up to 6 % of a step.
 */
interface Descent {
  /**
   * p -= rate·(g + weightDecay·p), as {@link Optimizer} has it, to the bit.
   *
   * @param parameters p, from at on
   * @param gradients g, from from on, as many
   * @return whether all gradients were finite
   */
  boolean descend(
      double[] parameters, int at, double[] gradients, int from, int count, double rate, double weightDecay);

  /** Whether a training's updates are plain descent, by gradients as they are. */
  static boolean suits(TrainingSpec training) {
    return training.optimizer() instanceof OptimizerSpec.Sgd sgd && sgd.momentum() == 0 && training.clipNorm().isEmpty();
  }

  /** With the Vector API, which the running Java must have been started with. */
  static Descent withVectorApi() {
    try {
      // Compiled apart, as it needs the module; by name, so that nothing else does.
      return (Descent) Class.forName(Descent.class.getPackageName() + ".VectorDescent").getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("built without the part that uses the Vector API", e);
    }
  }
}
