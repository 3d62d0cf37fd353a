package dev.plumb.backend;

/** A device has not enough free memory for an operation that it was asked for. It stays usable for smaller ones. */
public final class DeviceMemoryException extends DeviceUnavailableException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message is "reason: remedy". */
  public DeviceMemoryException(String reason, String remedy) {
    super(reason, remedy);
  }
}
