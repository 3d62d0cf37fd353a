package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Loss;

/** What a batch should give: y [outputs][samples], or labels [samples]. */
record Targets(double[][] y, int[] labels) {
  /** Room for so many samples. */
  static Targets of(Loss loss, int outputs, int samples) {
    return loss == Loss.CROSS_ENTROPY
        ? new Targets(null, new int[samples])
        : new Targets(new double[outputs][samples], null);
  }
}
