package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;

/** The --device option: opening what it names, and saying what was taken and why. */
final class DeviceChoice {
  private DeviceChoice() {}

  /**
   * Opens the device asked for.
   *
   * @throws InvalidInputException when there is no such device, or it would not compute in that precision
   * @throws dev.plumb.backend.DeviceUnavailableException when it cannot be used here
   */
  static Backends.Selection open(Arguments arguments, Precision precision) {
    boolean recordGraphs = !arguments.has(Flags.NO_GRAPH);
    Backends.Selection selection =
        arguments.parsed(Flags.DEVICE, "auto", device -> Backends.open(device, recordGraphs));
    DeviceInfo device = selection.backend().device();
    if (device.kind() == DeviceInfo.Kind.REFERENCE && precision != Precision.FP64) {
      // It would take any precision and compute in double; a table that says fp32 above it would not be true.
      selection.close();
      throw new InvalidInputException("--precision " + precision.key()
          + ": the reference computes in double alone; leave the option out, or choose another device");
    }
    return selection;
  }

  /** The first line of a command's output. */
  static String line(Backends.Selection selection) {
    DeviceInfo device = selection.backend().device();
    return "device: " + device.kind().key() + " (" + device.name() + "), " + selection.reason();
  }
}
