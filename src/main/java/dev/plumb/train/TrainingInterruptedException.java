package dev.plumb.train;

/**
 * Thrown when the thread that trains, or waits for a training, is interrupted: the training has ended between two steps, without
 * a model. The interrupt status of the thread is still set.
 */
public final class TrainingInterruptedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param when the time of the interrupt, such as "in epoch 3 of 200"
   */
  public TrainingInterruptedException(String when) {
    super("the training was interrupted " + when + "; it gives no model");
  }

  /** Throws an exception if the current thread is interrupted; keeps the interrupt status. */
  static void throwIfInterrupted(int epochsDone, int epochs) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingInterruptedException("in epoch " + Math.min(epochsDone + 1, epochs) + " of " + epochs);
    }
  }
}
