package dev.plumb.backend;

/** A device has not enough free memory to be opened, or for an operation that it was asked for. */
public final class DeviceMemoryException extends DeviceUnavailableException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message is "reason: remedy". */
  public DeviceMemoryException(String reason, String remedy) {
    super(reason, remedy);
  }
}
