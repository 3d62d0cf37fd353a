package dev.plumb.backend;

/**
 * A device broke off work that it had taken on: a launch failed, or an address was wrong. The message is one line that says during
 * what; exit code 70, as this must not happen.
 */
public final class DeviceFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
