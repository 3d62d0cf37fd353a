package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.OptimizerSpec;

/** What one network keeps between steps: parameters, gradients and moments, each [layout size]. */
final class Vectors {
  private final double[] parameters;
  private final double[] gradients;
  private final double[] moment1;
  private final double[] moment2;

  Vectors(OptimizerSpec optimizer, int size) {
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

  /** Null when the optimizer keeps none. */
  double[] moment1() {
    return moment1;
  }

  /** Null when the optimizer keeps none. */
  double[] moment2() {
    return moment2;
  }

  /** Whether gradients from..to - 1 are all finite: x·0 is 0 but for those that are not, and such a sum stays NaN. */
  boolean gradientsAreFinite(int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i + 3 < to; i += 4) {
      s0 += gradients[i] * 0;
      s1 += gradients[i + 1] * 0;
      s2 += gradients[i + 2] * 0;
      s3 += gradients[i + 3] * 0;
    }
    for (; i < to; i++) {
      s0 += gradients[i] * 0;
    }
    return s0 + s1 + s2 + s3 == 0;
  }

  long bytes() {
    int arrays = 2 + (moment1 == null ? 0 : 1) + (moment2 == null ? 0 : 1);
    return (long) Double.BYTES * parameters.length * arrays;
  }
}
