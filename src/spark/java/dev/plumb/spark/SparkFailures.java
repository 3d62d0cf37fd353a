package dev.plumb.spark;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceUnavailableException;
import java.util.List;
import java.util.stream.Collectors;

/** Failures of Spark's jobs as exceptions of Plumb, with a message of one line. */
final class SparkFailures {
  private static final int MAX_LINES = 3;
  /** Words in the message of a failed job whose reason is not a bug of Plumb. */
  private static final List<String> NO_BUGS = List.of("DeviceUnavailableException", "DeviceMemoryException", "ExecutorLostFailure",
      "OutOfMemoryError", "No space left", "cancelled", "shut down");

  private SparkFailures() {}

  /** Returns a DeviceUnavailableException for a reason outside of Plumb, otherwise a DeviceFailedException. */
  static RuntimeException of(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String text = "Spark ended the job: " + String.valueOf(cause.getMessage()).lines().map(String::strip)
        .filter(line -> !line.startsWith("at ")).limit(MAX_LINES).collect(Collectors.joining(" "));
    String all = failure + "\n" + cause;
    return NO_BUGS.stream().anyMatch(all::contains) ? new DeviceUnavailableException(text) : new DeviceFailedException(text, failure);
  }
}
