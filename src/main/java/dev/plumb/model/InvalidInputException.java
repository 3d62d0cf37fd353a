package dev.plumb.model;

/**
 * What the user gave cannot be used: a specification, an option, a data set. The message is one line that a user can act on
 * (what is wrong, where, what would be right); the command line prints it as it is and exits with 2.
 */
public final class InvalidInputException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** More than a person reads; names and values in messages should be cut before, so that what follows them is left. */
  private static final int MAX_MESSAGE = 2000;

  public InvalidInputException(String message) {
    super(Excerpt.of(message, MAX_MESSAGE));
  }

  public InvalidInputException(String message, Throwable cause) {
    super(Excerpt.of(message, MAX_MESSAGE), cause);
  }

  /**
   * Returns the same complaint with the place that it belongs to in front: {@code at("networks[1]")} gives "networks[1]: ...". A
   * place that is in front already is not repeated.
   */
  public InvalidInputException at(String place) {
    return getMessage().startsWith(place + ": ") ? this : new InvalidInputException(place + ": " + getMessage(), this);
  }
}
