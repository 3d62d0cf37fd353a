package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.StepScalars;

/** One network in training. */
interface Network {
  /** What it keeps between steps. */
  TrainingState state();

  /**
   * Makes room, so that no step has to.
   *
   * @param samples the most in one batch
   * @param keepsPreActivations whether Z will be asked for
   */
  void reserve(int samples, boolean keepsPreActivations);

  /**
   * One step: the scalars say which, the lossSum takes the loss before its update.
   *
   * @param rows indices into the data; null for all
   */
  void step(Samples data, int[] rows, ThreadScratch scratch);

  /** Whether all gradients of the last step were finite. */
  boolean gradientsAreFinite();

  /** Changes parameters and moments as the GRADIENTS in {@link #state()} ask for. */
  void update(StepScalars step);

  /** Rows of the last step, 0 before it. */
  int lastBatch();

  /** @param out [rows of the last step x units] row-major */
  void tap(Tap where, int layer, double[] out);

  /** In arrays of its own. */
  long bytes();
}
