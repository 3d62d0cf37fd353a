package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.Version;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Planner;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.study.ClusterBackend;
import dev.plumb.study.TrialExecutor;
import dev.plumb.train.Manifest;
import java.io.PrintStream;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.commons.cli.Option;

/** Opens the device that --device names, and describes it. */
final class DeviceChoice {
  /** Opens a device by its name, as {@link Backends#open} does. */
  @FunctionalInterface
  interface Opener {
    Backends.Selection open(String device, Backends.Usage usage);

    /** Opens all GPUs, as {@link Backends#openAll} does. */
    default Backends.Selection openAll(Backends.Usage usage) {
      return Backends.openAll(usage);
    }
  }

  /** An upper limit that no machine reaches. */
  static final int MAX_THREADS = 4096;

  private final Opener devices;

  /** The cluster of this process; empty if it has none. */
  private final Optional<Cluster> cluster;

  DeviceChoice(Opener devices) {
    this(devices, Optional.empty());
  }

  DeviceChoice(Opener devices, Optional<Cluster> cluster) {
    this.devices = devices;
    this.cluster = cluster;
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

  /** Opens the requested device or, for cuda:all, all GPUs; throws the same exceptions. */
  Backends.Selection openSeveral(Arguments arguments, PrintStream err) {
    return openSeveralFor(arguments.text(Flags.DEVICE).orElse("auto"), arguments, err);
  }

  /** Opens a device or all GPUs, by name, with the other options of the command line; throws the same exceptions. */
  Backends.Selection openSeveralFor(String name, Arguments arguments, PrintStream err) {
    if (arguments.has(Flags.ON)) {
      return openCluster(name, arguments, err);
    }
    return isSeveral(name) ? open(name, threads(name, arguments), arguments, err, devices::openAll) : openFor(name, arguments, err);
  }

  /** Opens a device on this machine while a cluster trains: a GPU only if there is one, whatever the executors have. */
  Backends.Selection openHere(Arguments arguments, PrintStream err) {
    String name = arguments.text(Flags.DEVICE).orElse("auto");
    return openFor(name.equals("cuda") ? "auto" : name, arguments, err);
  }

  private Backends.Selection openCluster(String name, Arguments arguments, PrintStream err) {
    String url = arguments.text(Flags.ON).orElseThrow();
    Cluster opened = cluster(arguments);
    if (arguments.has(Flags.THREADS)) {
      throw new InvalidInputException("--threads: each executor uses its cores with --on; omit the option");
    }
    Device device = clusterDevice(name, arguments);
    Planner planner = arguments.parsed(Flags.PLANNER, Planner.AUTO.key(), Planner::of);
    Backends.Usage usage =
        new Backends.Usage(!arguments.has(Flags.NO_GRAPH), planner, OptionalInt.empty(), onNote(arguments, err));
    ClusterBackend backend = arguments.at(Flags.ON,
        () -> opened.open(url, device, usage, warning -> err.println(TerminalText.sanitize("warning: " + warning)),
            arguments.has(Flags.ALLOW_OTHER_NUMERICS)));
    return new Backends.Selection(backend, "on " + url);
  }

  /** Returns the cluster of --on. */
  Cluster cluster(Arguments arguments) {
    return cluster.orElseThrow(() -> new InvalidInputException("--on " + arguments.text(Flags.ON).orElseThrow()
        + ": Spark has to start Plumb; use scripts/plumb, or spark-submit with plumb-spark.jar"));
  }

  /** Parses the name of the device that each process of a cluster uses. */
  static Device clusterDevice(String name, Arguments arguments) {
    Device device = arguments.at(Flags.DEVICE, () -> Device.parse(name));
    if (device.kind() == Device.Kind.CUDA_ALL || device.ordinal() > 0) {
      throw new InvalidInputException("--device " + device + ": Spark assigns the GPUs with --on; use --device cuda");
    }
    return device;
  }

  /** Refuses an option that needs a device in this process. */
  static void requireWithoutCluster(Option option, Arguments arguments) {
    if (arguments.has(option) && arguments.has(Flags.ON)) {
      throw new InvalidInputException("--" + option.getLongOpt() + ": not available with --on; omit one of them");
    }
  }

  /** Returns whether a name means several devices. */
  static boolean isSeveral(String name) {
    return name.equals(Device.CUDA_ALL.toString());
  }

  /** Opens a device by its name, with the other options of the command line; throws the same exceptions. */
  Backends.Selection openFor(String device, Arguments arguments, PrintStream err) {
    return open(device, threads(device, arguments), arguments, err);
  }

  private static OptionalInt threads(String device, Arguments arguments) {
    if (arguments.has(Flags.NO_GRAPH) && (device.equals("reference") || device.equals("cpu"))) {
      throw new InvalidInputException("--no-graph: applies only to GPUs, not to device " + device + "; omit the option");
    }
    if (arguments.has(Flags.THREADS)) {
      if (!device.equals("cpu") && !device.equals("auto")) {
        throw new InvalidInputException(
            "--threads: applies only to the CPU, not to device " + device + "; omit the option");
      }
      return OptionalInt.of((int) arguments.integer(Flags.THREADS, 1, 1, MAX_THREADS));
    }
    return OptionalInt.empty();
  }

  /** Opens a device by its name and number of threads; throws the same exceptions. */
  Backends.Selection open(String device, OptionalInt threads, Arguments arguments, PrintStream err) {
    return open(device, threads, arguments, err, usage -> devices.open(device, usage));
  }

  private static Backends.Selection open(String device, OptionalInt threads, Arguments arguments, PrintStream err,
      Function<Backends.Usage, Backends.Selection> opener) {
    Consumer<String> onNote = onNote(arguments, err);
    Planner planner = arguments.parsed(Flags.PLANNER, Planner.AUTO.key(), Planner::of);
    Backends.Usage usage = new Backends.Usage(!arguments.has(Flags.NO_GRAPH), planner, threads, onNote);
    Backends.Selection selection = arguments.at(Flags.DEVICE, () -> opener.apply(usage));
    if (planner != Planner.AUTO && selection.backend().device().kind() != DeviceInfo.Kind.CUDA) {
      selection.close();
      throw new InvalidInputException("--planner " + planner.key() + ": applies only to GPUs, not to device "
          + selection.backend().device().kind().key() + "; omit the option or use --device cuda");
    }
    return selection;
  }

  /** Returns an executor on the device, on all GPUs of --device cuda:all, or on the cluster of --on. */
  static TrialExecutor executor(Backends.Selection device, Arguments arguments, String command, PrintStream err) {
    return device.backend() instanceof ClusterBackend backend ? backend
        : device.devices().isEmpty() ? TrialExecutor.on(device.backend())
        : TrialExecutor.on(device.backend(), device.devices(), onNote(arguments, err),
            failure -> err.println(TerminalText.sanitize("plumb " + command + ": " + failure)));
  }

  /** Returns a consumer that prints notes, unless --quiet is given. */
  static Consumer<String> onNote(Arguments arguments, PrintStream err) {
    return arguments.has(Flags.QUIET) ? note -> {} : note -> err.println(TerminalText.sanitize("note: " + note));
  }

  /** @throws InvalidInputException if the device does not compute in that precision */
  static void requirePrecision(Backends.Selection selection, Precision precision) {
    requirePrecision(isReference(selection), precision);
  }

  static void requirePrecision(boolean isReference, Precision precision) {
    if (isReference && precision != Precision.FP64) {
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
    return line(selection, selection.backend().device());
  }

  /** Returns the first line of a command that may use several devices. */
  static String line(Backends.Selection selection, DeviceInfo device) {
    return "device: " + device.kind().key() + " (" + device.name() + "), " + selection.reason();
  }

  /** Returns the manifest of a report: versions, system and device. */
  static SortedMap<String, String> manifest(DeviceInfo device) {
    return new TreeMap<>(Map.of("plumb", Version.CURRENT, "java", Runtime.version().toString(),
        "system", System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        "device", device.kind().key() + ": " + device.name()));
  }

  /** Returns the manifest of a report with the command that wrote it. */
  static SortedMap<String, String> manifest(DeviceInfo device, String command, Arguments arguments) {
    SortedMap<String, String> manifest = manifest(device);
    manifest.put("command", "plumb " + command + " "
        + String.join(" ", arguments.given().stream().map(Manifest::shellQuoted).toList()));
    return manifest;
  }
}
