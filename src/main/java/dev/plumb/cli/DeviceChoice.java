package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Planner;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.io.PrintStream;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** The --device option: opening what it names, and saying what was taken and why. */
final class DeviceChoice {
  /** What opens a device by its name, as {@link Backends#open} does. */
  @FunctionalInterface
  interface Opener {
    Backends.Selection open(String device, Backends.Usage usage);
  }

  /** More than any machine has processors. */
  static final int MAX_THREADS = 4096;

  private final Opener devices;

  DeviceChoice(Opener devices) {
    this.devices = devices;
  }

  /**
   * Opens the device asked for.
   *
   * @param err where notes of the device go, unless the command is to be quiet
   * @throws InvalidInputException when there is no such device, or an option is not for it
   * @throws dev.plumb.backend.DeviceUnavailableException when it cannot be used here
   */
  Backends.Selection open(Arguments arguments, PrintStream err) {
    return openFor(arguments.text(Flags.DEVICE).orElse("auto"), arguments, err);
  }

  /** Opens a device by its name, with the arguments' other options; likewise. */
  Backends.Selection openFor(String device, Arguments arguments, PrintStream err) {
    if (arguments.has(Flags.NO_GRAPH) && (device.equals("reference") || device.equals("cpu"))) {
      throw new InvalidInputException("--no-graph: applies only to GPUs, not to device " + device + "; omit the option");
    }
    OptionalInt threads = OptionalInt.empty();
    if (arguments.has(Flags.THREADS)) {
      if (!device.equals("cpu") && !device.equals("auto")) {
        throw new InvalidInputException(
            "--threads: applies only to the CPU, not to device " + device + "; omit the option");
      }
      threads = OptionalInt.of((int) arguments.whole(Flags.THREADS, 1, 1, MAX_THREADS));
    }
    return open(device, threads, arguments, err);
  }

  /** Opens a device by its name, whichever the arguments ask for; likewise. */
  Backends.Selection open(String device, OptionalInt threads, Arguments arguments, PrintStream err) {
    Consumer<String> onNote = arguments.has(Flags.QUIET) ? note -> {}
        : note -> err.println(TerminalText.sanitize("note: " + note));
    Planner planner = arguments.parsed(Flags.PLANNER, Planner.AUTO.key(), Planner::of);
    Backends.Usage usage = new Backends.Usage(!arguments.has(Flags.NO_GRAPH), planner, threads, onNote);
    Backends.Selection selection = arguments.at(Flags.DEVICE, () -> devices.open(device, usage));
    if (planner != Planner.AUTO && selection.backend().device().kind() != DeviceInfo.Kind.CUDA) {
      selection.close();
      throw new InvalidInputException("--planner " + planner.key() + ": applies only to GPUs, not to device "
          + selection.backend().device().kind().key() + "; omit the option or use --device cuda");
    }
    return selection;
  }

  /** @throws InvalidInputException when the device would not compute in that precision */
  static void requirePrecision(Backends.Selection selection, Precision precision) {
    if (isReference(selection) && precision != Precision.FP64) {
      // It would take any precision and compute in double; a table that says fp32 above it would not be true.
      throw new InvalidInputException("--precision " + precision.key()
          + ": device reference computes only in fp64; omit the option or choose another device");
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
