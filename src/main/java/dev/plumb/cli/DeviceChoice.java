package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Planner;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.io.PrintStream;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Opens the device that --device names, and describes it. */
final class DeviceChoice {
  /** Opens a device by its name, as {@link Backends#open} does. */
  @FunctionalInterface
  interface Opener {
    Backends.Selection open(String device, Backends.Usage usage);
  }

  /** An upper limit that no machine reaches. */
  static final int MAX_THREADS = 4096;

  private final Opener devices;

  DeviceChoice(Opener devices) {
    this.devices = devices;
  }

  /**
   * Opens the requested device.
   *
   * @param err takes notes about the device, unless --quiet is given
   * @throws InvalidInputException if there is no such device, or an option does not apply to it
   * @throws dev.plumb.backend.DeviceUnavailableException if it cannot be used on this machine
   */
  Backends.Selection open(Arguments arguments, PrintStream err) {
    return openFor(arguments.text(Flags.DEVICE).orElse("auto"), arguments, err);
  }

  /** Opens a device by its name, with the other options of the command line; throws the same exceptions. */
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
      threads = OptionalInt.of((int) arguments.integer(Flags.THREADS, 1, 1, MAX_THREADS));
    }
    return open(device, threads, arguments, err);
  }

  /** Opens a device by its name and number of threads; throws the same exceptions. */
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

  /** @throws InvalidInputException if the device does not compute in that precision */
  static void requirePrecision(Backends.Selection selection, Precision precision) {
    if (isReference(selection) && precision != Precision.FP64) {
      // The reference accepts every precision but computes in double, so a heading "fp32" would be wrong.
      throw new InvalidInputException("--precision " + precision.key()
          + ": device reference computes only in fp64; omit the option or choose another device");
    }
  }

  static boolean isReference(Backends.Selection selection) {
    return selection.backend().device().kind() == DeviceInfo.Kind.REFERENCE;
  }

  /** Returns the first line of a command's output. */
  static String line(Backends.Selection selection) {
    DeviceInfo device = selection.backend().device();
    return "device: " + device.kind().key() + " (" + device.name() + "), " + selection.reason();
  }
}
