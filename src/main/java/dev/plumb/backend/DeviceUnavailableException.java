package dev.plumb.backend;

/** The requested device cannot be used. The message is one line with reason and remedy. The process ends with exit code 3. */
public class DeviceUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  public DeviceUnavailableException(String message) {
    super(message);
    reason = message;
  }

  /**
   * Creates an exception whose message is "reason: remedy".
   *
   * @param remedy for a caller that has no other device
   */
  public DeviceUnavailableException(String reason, String remedy) {
    super(reason + ": " + remedy);
    this.reason = reason;
  }

  /** Returns the message without the remedy, if they were given separately. */
  public String reason() {
    return reason;
  }
}
