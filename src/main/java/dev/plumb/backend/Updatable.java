package dev.plumb.backend;

/**
 * A session that can update its parameters from given gradients; for checks only. An optimizer that divides by the magnitude of
 * the gradient amplifies a rounding error in a gradient near 0 to a full step of either sign. The updates of two backends can
 * therefore be compared only when both start from the same gradients.
 */
public interface Updatable {
  /**
   * Overwrites the GRADIENTS of a replica and updates its parameters and moments like the step with the number
   * {@link TrainingSession#stepsTaken()}, clipping and weight decay included. Does not count as a step.
   *
   * @param gradients [layout().size()]
   * @throws IllegalArgumentException when the array has another length
   */
  void update(int replica, double learningRate, double[] gradients);
}
