package dev.plumb.backend;

import dev.plumb.data.Dataset;
import dev.plumb.model.ParameterLayout;

/**
 * The training of one network shape, in one or several replicas that never touch each other. Order of calls: write parameters,
 * {@link #bind} data, then any number of {@link #run} and {@link #sync}. A session belongs to the thread that opened it: a
 * backend that can tell throws an IllegalStateException in any other.
 *
 * <p>After {@link #close} every call is an IllegalStateException; closing twice is not.
 */
public interface TrainingSession extends AutoCloseable {
  ParameterLayout layout();

  int replicas();

  /**
   * Sets the rows that the following steps take their batches from; they reach the device once.
   *
   * @throws dev.plumb.model.InvalidInputException when they do not fit the network and the loss
   */
  void bind(Dataset rows);

  /**
   * Enqueues the steps of a chunk. Does not wait for them and allocates nothing that grows with their number but what
   * {@link #sync} returns.
   *
   * @throws IllegalStateException when no data is bound
   * @throws IllegalArgumentException when the chunk does not fit the data or the replicas
   */
  void run(StepChunk chunk);

  /**
   * Waits for all steps that were run, and returns what was recorded since the last call. A failure of a step that was only
   * enqueued shows here at the latest.
   */
  StepMetrics sync();

  /**
   * The loss over all the given rows, and the hits where the loss is of a classification; changes nothing. Waits for the steps
   * before it. The rows that are bound, passed as the same object, need not reach the device again.
   *
   * @throws dev.plumb.model.InvalidInputException when the rows do not fit the network and the loss
   */
  Evaluation evaluate(Dataset rows);

  /**
   * The network's outputs (logits for the cross-entropies) for the features of the given rows.
   *
   * @param out [rows x outputs] row-major
   * @throws IllegalArgumentException when out has another length
   * @throws dev.plumb.model.InvalidInputException when the rows do not have the network's inputs
   */
  void predict(int replica, Dataset rows, double[] out);

  /**
   * Reads one vector of a replica.
   *
   * @param out [layout().size()]
   * @throws IllegalArgumentException when out has another length, or the optimizer does not keep that moment
   */
  void read(Slot slot, int replica, double[] out);

  /**
   * Overwrites one vector of a replica. Writing PARAMETERS forgets that the replica was ever non-finite.
   *
   * @param in [layout().size()]
   * @throws IllegalArgumentException as for {@link #read}
   */
  void write(Slot slot, int replica, double[] in);

  /** Steps since the beginning of training; adam's bias correction depends on it, so it is part of a checkpoint. */
  long stepsTaken();

  /** @throws IllegalArgumentException when negative */
  void stepsTaken(long steps);

  @Override
  void close();
}
