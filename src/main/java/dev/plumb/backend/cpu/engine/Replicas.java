package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.data.Dataset;

/**
 * The networks of one session, in one precision. Arguments are checked by the session before they come here.
 *
 * @param <A> double[] or float[]
 */
public interface Replicas<A> {
  /** Sets the rows that steps take their batches from. */
  void bind(Dataset rows);

  /**
   * Takes all steps of a chunk and returns when they are done. Allocates nothing in a step.
   *
   * @param firstStep the number of the chunk's first step, from 0 since the beginning of training
   */
  void run(StepChunk chunk, long firstStep, StepLog log);

  /** Adds up the loss over all rows, and the correct where the loss is of a classification. */
  void evaluate(Dataset rows, LossAccumulator[] replicaLosses);

  /** @param out [rows x outputs] row-major */
  void predict(int replica, Dataset rows, A out);

  /** The vector itself, laid out as ParameterLayout says; null when the optimizer does not keep that moment. */
  A vector(Slot slot, int replica);

  /** Rows of the last step; 0 before the first. */
  int lastBatch();

  /** @param out [rows of the last step x units] row-major */
  void tap(Tap where, int layer, int replica, A out);

  /** Takes the update that the replica's GRADIENTS ask for, as the given step does. */
  void update(int replica, StepScalars step);

  /** What this session holds in arrays, in bytes, once data is bound and a step was taken. */
  long bytes();
}
