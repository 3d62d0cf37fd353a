package dev.plumb.backend;

/**
 * A failure of work that a device had accepted, like a failed launch or an invalid address. The message is one line that names
 * the operation. The process ends with exit code 70 (internal error).
 */
public final class DeviceFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
