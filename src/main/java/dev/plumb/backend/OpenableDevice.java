package dev.plumb.backend;

import java.util.function.Supplier;

/**
 * A device that is not open yet. The thread that opens it owns the backend.
 *
 * @param name as {@code --device} takes it: cuda:1
 * @param opener opens the device; throws a {@link DeviceUnavailableException} if it cannot be used
 */
public record OpenableDevice(String name, Supplier<Backend> opener) {
  /**
   * Opens the device for the calling thread.
   *
   * @throws DeviceUnavailableException when it cannot be used
   */
  public Backend open() {
    return opener.get();
  }
}
