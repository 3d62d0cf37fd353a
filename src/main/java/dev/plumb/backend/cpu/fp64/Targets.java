package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Loss;

/**
 * The targets of a batch.
 *
 * @param y [outputs][samples]; null for classes
 * @param labels [samples] classes; null for others
 */
record Targets(double[][] y, int[] labels) {
  /** Returns empty targets for a number of samples. */
  static Targets of(Loss loss, int outputs, int samples) {
    return loss == Loss.CROSS_ENTROPY
        ? new Targets(null, new int[samples])
        : new Targets(new double[outputs][samples], null);
  }
}
