package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import java.util.function.BooleanSupplier;

/**
 * A job in a process that trains groups for another one, which has the same job; see {@link TrialJob#open}. Any number of threads
 * may train groups at the same time.
 */
public interface TrialWorker {
  /** Returns the numerics of all trainings of the job on the backend that the job was opened with. */
  Numerics numerics();

  /**
   * Trains a group.
   *
   * @param group from {@link TrialExecutor.GroupTrainer#text}
   * @param backend of the kind of the backend that the job was opened with
   * @param stopped returns true to stop
   * @return the results, for {@link TrialExecutor.GroupTrainer#received}
   * @throws java.util.concurrent.CancellationException when the training has been stopped
   */
  byte[] train(String group, Backend backend, BooleanSupplier stopped);
}
