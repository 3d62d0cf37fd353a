package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.StepScalars;

/** One network in training. */
interface Network {
  /** Returns the vectors that it keeps between steps. */
  TrainingState state();

  /**
   * Allocates memory, so that steps do not.
   *
   * @param samples maximum number of rows in a batch
   * @param keepsPreActivations whether Z must be available after a step
   */
  void reserve(int samples, boolean keepsPreActivations);

  /**
   * Runs one step with the scalars in the scratch memory, and adds the loss before the update to its accumulator.
   *
   * @param rows row indices; null for all
   */
  void step(Samples data, int[] rows, ThreadScratch scratch);

  /** Returns whether all gradients and running statistics of the last step were finite. */
  boolean gradientsAreFinite();

  /** Updates parameters and moments from the gradients in {@link #state()}. */
  void update(StepScalars step);

  /** Returns the number of rows of the last step; 0 before the first. */
  int lastBatch();

  /**
   * Copies intermediate values of the last step.
   *
   * @param out [rows of the last step x units] row-major
   */
  void tap(Tap where, int layer, double[] out);

  /** Returns the size of its arrays, in bytes. */
  long bytes();
}
