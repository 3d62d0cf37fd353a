package dev.plumb.backend;

import dev.plumb.model.InvalidInputException;
import java.util.Optional;

/**
 * The reason why a backend does not support a training.
 *
 * @param reason what is not supported, with the field and its limit
 * @param remedy what the user can do instead
 */
public record Refusal(String reason, String remedy) {
  /** Returns an exception whose message is the reason and the remedy. */
  public InvalidInputException toException() {
    return new InvalidInputException(reason + ": " + remedy);
  }

  /** Returns the refusal of a number of replicas below 1; empty for others. */
  public static Optional<Refusal> ofReplicas(int replicas) {
    return replicas < 1
        ? Optional.of(new Refusal("replicas " + replicas + " is too few", "use at least 1"))
        : Optional.empty();
  }
}
