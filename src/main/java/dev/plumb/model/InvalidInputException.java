package dev.plumb.model;

/**
 * Error for input that cannot be used: a specification, an option, a data set. The message is one line that a user can act on:
 * what is wrong, where, and what would be right. The command line prints it unchanged and exits with code 2.
 */
public final class InvalidInputException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Backstop; names and values are cut before they enter a message, so that the text after them is kept. */
  private static final int MAX_MESSAGE = 2000;

  /**
   * Creates an error.
   *
   * @param message one line: what is wrong, where, what would be right
   */
  public InvalidInputException(String message) {
    super(Excerpt.of(message, MAX_MESSAGE));
  }

  /**
   * Creates an error with a cause.
   *
   * @param message one line: what is wrong, where, what would be right
   * @param cause of the error
   */
  public InvalidInputException(String message, Throwable cause) {
    super(Excerpt.of(message, MAX_MESSAGE), cause);
  }

  /**
   * Returns the same error with a place in front of its message: {@code at("networks[1]")} gives "networks[1]: ...". A place that
   * is already in front is not repeated.
   *
   * @param place such as a file, an option or a path in a document
   * @return this error, or one with the longer message and this one as its cause
   */
  public InvalidInputException at(String place) {
    return getMessage().startsWith(place + ": ") ? this : new InvalidInputException(place + ": " + getMessage(), this);
  }
}
