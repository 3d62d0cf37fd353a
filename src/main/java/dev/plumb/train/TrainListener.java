package dev.plumb.train;

/**
 * Receives the progress of a training, and can stop it. All methods are called by the thread that trains, which waits for them;
 * an exception that one of them throws ends the training.
 */
public interface TrainListener {
  /** A listener that ignores everything and never stops a training. */
  TrainListener NONE = new TrainListener() {};

  /**
   * Called after every epoch.
   *
   * @param epoch the metrics of the epoch
   * @param best true if no earlier epoch had a lower loss: of the validation rows, or of the training rows if there are none
   */
  default void epochFinished(EpochMetrics epoch, boolean best) {}

  /**
   * Called several times per second within an epoch, as far as steps are short enough, and at its end.
   *
   * @param steps finished since the beginning of the training
   * @param totalSteps of the whole training, if it does not end early
   */
  default void stepsFinished(long steps, long totalSteps) {}

  /** Returns true to stop the training. Called between steps, after {@link #stepsFinished} and {@link #epochFinished}. */
  default boolean stopRequested() {
    return false;
  }
}
