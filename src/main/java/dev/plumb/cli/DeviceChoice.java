package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;

/** The --device option: opening what it names, and saying what was taken and why. */
final class DeviceChoice {
  /** What opens a device by its name, as {@link Backends#open} does. */
  @FunctionalInterface
  interface Opener {
    Backends.Selection open(String device, boolean recordGraphs);
  }

  private final Opener devices;

  DeviceChoice(Opener devices) {
    this.devices = devices;
  }

  /**
   * Opens the device asked for.
   *
   * @throws InvalidInputException when there is no such device, or it records no graphs that could be left out
   * @throws dev.plumb.backend.DeviceUnavailableException when it cannot be used here
   */
  Backends.Selection open(Arguments arguments) {
    boolean recordGraphs = !arguments.has(Flags.NO_GRAPH);
    if (!recordGraphs && arguments.text(Flags.DEVICE).filter("reference"::equals).isPresent()) {
      throw new InvalidInputException("--no-graph: the reference records no graphs; leave the option out");
    }
    return arguments.parsed(Flags.DEVICE, "auto", device -> devices.open(device, recordGraphs));
  }

  /** @throws InvalidInputException when the device would not compute in that precision */
  static void requirePrecision(Backends.Selection selection, Precision precision) {
    if (isReference(selection) && precision != Precision.FP64) {
      // It would take any precision and compute in double; a table that says fp32 above it would not be true.
      throw new InvalidInputException("--precision " + precision.key()
          + ": the reference computes in double alone; leave the option out, or choose another device");
    }
  }

  static boolean isReference(Backends.Selection selection) {
    return selection.backend().device().kind() == DeviceInfo.Kind.REFERENCE;
  }

  /** The first line of a command's output. */
  static String line(Backends.Selection selection) {
    DeviceInfo device = selection.backend().device();
    return "device: " + device.kind().key() + " (" + device.name() + "), " + selection.reason();
  }
}
