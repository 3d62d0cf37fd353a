package dev.plumb.backend;

/** The device that was asked for cannot be used. The message is one line with the reason and the remedy; exit code 3. */
public final class DeviceUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceUnavailableException(String message) {
    super(message);
  }
}
