package dev.plumb;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Planner;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.OptionalInt;

/** The log of the library: the {@link System.Logger} named {@value #NAME}. */
final class PlumbLog {
  static final String NAME = "dev.plumb";

  private PlumbLog() {}

  /** Returns the standard usage of devices, whose notes are logged as warnings. */
  static Backends.Usage usage() {
    return new Backends.Usage(true, Planner.AUTO, OptionalInt.empty(), note -> logger().log(Level.WARNING, note));
  }

  /** Logs which device was taken, and why. */
  static void device(String purpose, Backends.Selection selection) {
    DeviceInfo device = selection.backend().device();
    logger().log(Level.INFO,
        () -> purpose + " on device " + device.kind().key() + " (" + device.name() + "): " + selection.reason());
  }

  static void warning(String message) {
    logger().log(Level.WARNING, message);
  }

  private static Logger logger() {
    return System.getLogger(NAME);
  }
}
