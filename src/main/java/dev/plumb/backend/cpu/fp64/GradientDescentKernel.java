package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;

/**
 * Plain gradient descent fused with the check for finite gradients, in one pass over the gradients that a thread has just
 * computed. They may be in a buffer of the thread: gradients that nobody reads are never written to main memory, which took up to
 * 6 % of a wide network's step.
 */
interface GradientDescentKernel {
  /**
   * Computes p -= rate·(g + weightDecay·p), with the same bits as {@link Optimizer}.
   *
   * @param parameters contains p from index at on
   * @param gradients contains g from index from on
   * @param count number of parameters
   * @return whether all gradients are finite
   */
  boolean descend(
      double[] parameters, int at, double[] gradients, int from, int count, double rate, double weightDecay);

  /** Returns whether a training updates by plain gradient descent, without momentum and without clipping. */
  static boolean supports(TrainingSpec training) {
    return training.optimizer() instanceof OptimizerSpec.Sgd sgd && sgd.momentum() == 0 && training.clipNorm().isEmpty();
  }
}
