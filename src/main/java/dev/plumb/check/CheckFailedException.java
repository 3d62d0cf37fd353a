package dev.plumb.check;

/** Thrown when a device and the reference disagree. The message is one line with the first tensor out of bounds; exit code 1. */
public final class CheckFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckFailedException(String message) {
    super(message);
  }
}
