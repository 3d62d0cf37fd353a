package dev.plumb.backend;

/** The requested device cannot be used. The message is one line with reason and remedy. The process ends with exit code 3. */
public final class DeviceUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceUnavailableException(String message) {
    super(message);
  }
}
