package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.data.Dataset;

/**
 * The networks of one session, in one precision. The session checks all arguments.
 *
 * @param <A> double[] or float[]
 */
public interface Replicas<A> {
  /** Sets the data that steps take their batches from. */
  void bind(Dataset rows);

  /**
   * Runs all steps of a chunk and returns when they are finished. Steps do not allocate.
   *
   * @param firstStep number of the chunk's first step, from 0 since the beginning of training
   */
  void run(StepChunk chunk, long firstStep, StepLog log);

  /** Adds the loss over all rows and, for a classification, the number of correct predictions to each replica's accumulator. */
  void evaluate(Dataset rows, LossAccumulator[] replicaLosses);

  /**
   * Computes the outputs for some rows.
   *
   * @param out [rows x outputs] row-major
   */
  void predict(int replica, Dataset rows, A out);

  /** Returns one vector itself, not a copy; null for a moment that the optimizer does not keep. */
  A vector(Slot slot, int replica);

  /** Returns the number of rows of the last step; 0 before the first. */
  int lastBatch();

  /**
   * Copies intermediate values of the last step.
   *
   * @param out [rows of the last step x units] row-major
   */
  void tap(Tap where, int layer, int replica, A out);

  /** Updates a replica's parameters and moments from its GRADIENTS, as in the given step. */
  void update(int replica, StepScalars step);

  /** Returns the size of all arrays, in bytes. Complete after data was bound and a step was run. */
  long bytes();
}
