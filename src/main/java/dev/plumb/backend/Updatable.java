package dev.plumb.backend;

/**
 * A session that can take the update of a step by itself, from gradients that come from elsewhere; for checks alone. An
 * optimizer that divides by the size of the gradient turns a rounding in a gradient near 0 into a whole step of either sign,
 * so that the updates of two backends can be compared only when both start from the same gradients.
 */
public interface Updatable {
  /**
   * Overwrites the GRADIENTS of a replica, and changes its parameters and moments as the step with the number
   * {@link TrainingSession#stepsTaken()} does. Counts no step.
   *
   * @param gradients [layout size]; clipped and decayed as in a step
   * @throws IllegalArgumentException when they are of another length
   */
  void update(int replica, double learningRate, double[] gradients);
}
