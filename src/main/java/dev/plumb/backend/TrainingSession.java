package dev.plumb.backend;

import dev.plumb.data.Dataset;
import dev.plumb.model.ParameterLayout;

/**
 * A training of one or several replicas: independent networks of one shape. Order of calls: write parameters, {@link #bind} data,
 * then any number of {@link #run} and {@link #sync}. A session must be used only by the thread that opened it; the CPU and the
 * CUDA backend throw an IllegalStateException in any other.
 *
 * <p>After {@link #close} every method except close throws an IllegalStateException. A replica index out of range is an
 * IllegalArgumentException.
 */
public interface TrainingSession extends AutoCloseable {
  /** Returns the layout of each {@link Slot}. */
  ParameterLayout layout();

  /** Returns the number of replicas. */
  int replicas();

  /**
   * Sets the data that the following steps take their batches from. It is copied to the device once, with the weights of the
   * rows if there are any.
   *
   * @throws dev.plumb.model.InvalidInputException when the data does not fit the network and the loss
   */
  void bind(Dataset rows);

  /**
   * Enqueues the steps of a chunk without waiting for them. Only the metrics that {@link #sync} returns take memory in proportion
   * to the number of steps.
   *
   * @throws IllegalStateException when no data is bound
   * @throws IllegalArgumentException when the chunk does not fit the data or the replicas
   */
  void run(StepChunk chunk);

  /**
   * Waits for all enqueued steps and returns the metrics recorded since the last call. Throws the failure of an enqueued step
   * that was not thrown before.
   */
  StepMetrics sync();

  /**
   * Computes the mean loss over the given rows, weighted if they have weights, and, for a classification, the number of correct
   * predictions, which weights do not change. Waits for all enqueued steps and changes nothing. Rows that are bound (the same object) are not copied to the device again.
   *
   * @throws dev.plumb.model.InvalidInputException when the rows do not fit the network and the loss
   */
  Evaluation evaluate(Dataset rows);

  /**
   * Computes the outputs of a replica for the features of the given rows: logits for the cross-entropies, predictions for the
   * other losses.
   *
   * @param out [rows x outputs] row-major
   * @throws IllegalArgumentException when out has another length
   * @throws dev.plumb.model.InvalidInputException when the number of features is not that of the network's inputs
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
   * Overwrites one vector of a replica. Writing PARAMETERS also resets the replica's {@link StepMetrics#firstNonFinite}.
   *
   * @param in [layout().size()]
   * @throws IllegalArgumentException as for {@link #read}
   */
  void write(Slot slot, int replica, double[] in);

  /** Returns the number of steps since the beginning of training. It belongs to a checkpoint: adam's bias correction uses it. */
  long stepsTaken();

  /**
   * Sets the number of steps since the beginning of training, to resume from a checkpoint.
   *
   * @throws IllegalArgumentException when negative
   */
  void stepsTaken(long steps);

  /** Releases the session's memory and threads. Closing twice has no effect. */
  @Override
  void close();
}
