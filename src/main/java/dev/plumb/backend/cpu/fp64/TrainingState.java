package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.OptimizerSpec;

/** The vectors that one network keeps between steps: parameters, gradients and moments, each [layout size]. */
final class TrainingState {
  private final double[] parameters;
  private final double[] gradients;
  private final double[] moment1;
  private final double[] moment2;

  TrainingState(OptimizerSpec optimizer, int size) {
    parameters = new double[size];
    gradients = new double[size];
    moment1 = optimizer.usesFirstMoment() ? new double[size] : null;
    moment2 = optimizer.usesSecondMoment() ? new double[size] : null;
  }

  double[] parameters() {
    return parameters;
  }

  double[] gradients() {
    return gradients;
  }

  /** Returns the first moment; null when the optimizer keeps none. */
  double[] moment1() {
    return moment1;
  }

  /** Returns the second moment; null when the optimizer keeps none. */
  double[] moment2() {
    return moment2;
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    int arrays = 2 + (moment1 == null ? 0 : 1) + (moment2 == null ? 0 : 1);
    return (long) Double.BYTES * parameters.length * arrays;
  }
}
