package dev.plumb.train;

/**
 * The thread that trains, or waits for a training, was interrupted; the training ended between two steps and gives no model. The
 * thread's interrupt status is set when this is thrown.
 */
public final class TrainingInterruptedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** @param when in the training: "in epoch 3 of 200" */
  public TrainingInterruptedException(String when) {
    super("the training was interrupted " + when + "; it gives no model");
  }

  /** Throws one if the current thread is interrupted; does not clear the interrupt status. */
  static void throwIfInterrupted(int epochsDone, int epochs) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingInterruptedException("in epoch " + Math.min(epochsDone + 1, epochs) + " of " + epochs);
    }
  }
}
