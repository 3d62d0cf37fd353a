package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuReport;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.OpenableDevice;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.natives.CudaReport;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Opens backends by device; the only class that names all of them. Applications that train and predict use {@link Plumb} instead,
 * and need it only to work with a {@link Backend} directly.
 */
public final class Backends {
  private static final String REQUESTED = "as asked for";

  /**
   * An opened backend.
   *
   * @param backend closed by {@link #close}
   * @param reason why this device was taken, for a message
   * @param devices the devices of {@link #openAll}, that of {@code backend} first; empty if one device was asked for
   */
  public record Selection(Backend backend, String reason, List<OpenableDevice> devices) implements AutoCloseable {
    /** A selection of one device. */
    public Selection(Backend backend, String reason) {
      this(backend, reason, List.of());
    }

    @Override
    public void close() {
      backend.close();
    }
  }

  /**
   * Options for using a device.
   *
   * @param recordGraphs true to run many steps on a GPU as one recorded graph; false to launch every kernel separately, which is
   *     slower but easier to trace
   * @param planner the planner for a network's steps on a GPU
   * @param threads number of CPU threads; empty for one per processor
   * @param onNote consumer of one-line notes about something that works, but slower than it could
   */
  public record Usage(boolean recordGraphs, Planner planner, OptionalInt threads, Consumer<String> onNote) {
    /** The fastest options, without notes. */
    public static final Usage STANDARD = new Usage(true, Planner.AUTO, OptionalInt.empty(), note -> {});
  }

  private Backends() {}

  /**
   * Opens a device by its name; see {@link #open(Device, Usage)}.
   *
   * @param device auto, cuda, cuda:N, cpu or reference
   * @throws InvalidInputException when it is none of these
   */
  public static Selection open(String device, Usage usage) {
    return open(Device.parse(device), usage);
  }

  /**
   * Opens a device. Only {@link Device#AUTO} chooses one; any other device is never replaced by another.
   *
   * @throws InvalidInputException for {@link Device#CUDA_ALL}, which only studies use; see {@link #openAll}
   * @throws DeviceUnavailableException when the device cannot be used on this machine
   */
  public static Selection open(Device device, Usage usage) {
    return switch (device.kind()) {
      case AUTO -> openAny(usage);
      case CPU -> new Selection(cpu(usage), REQUESTED);
      case CUDA -> new Selection(new CudaBackend(device.ordinal(), cudaOptions(usage), usage.onNote()), REQUESTED);
      case CUDA_ALL -> throw new InvalidInputException(device
          + " is only for plumb study and plumb cv, because one network uses one GPU; use"
          + " cuda or cuda:N");
      case REFERENCE -> new Selection(reference(), REQUESTED);
    };
  }

  /**
   * Opens the first usable GPU and lists those after it, which other threads can open; they may turn out to be unusable. A note
   * names each GPU before the first usable one.
   *
   * @throws DeviceUnavailableException when no GPU can be used; with the reason for the first one
   */
  public static Selection openAll(Usage usage) {
    CudaOptions options = cudaOptions(usage);
    Consumer<String> onNote = onceEach(usage.onNote());
    int count = CudaBackend.deviceCount();
    Map<String, DeviceUnavailableException> unusable = new LinkedHashMap<>();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      List<OpenableDevice> devices = IntStream.range(ordinal, count).mapToObj(number ->
          new OpenableDevice("cuda:" + number, () -> new CudaBackend(number, options, onNote))).toList();
      try {
        Backend backend = devices.get(0).open();
        unusable.forEach((name, e) -> onNote.accept(name + " is not used: " + e.getMessage()));
        return new Selection(backend, REQUESTED, devices);
      } catch (DeviceUnavailableException e) {
        unusable.put(devices.get(0).name(), e);
      }
    }
    throw unusable.values().iterator().next();
  }

  /** Returns a consumer for several threads that passes each note on once. */
  private static Consumer<String> onceEach(Consumer<String> onNote) {
    Set<String> passed = ConcurrentHashMap.newKeySet();
    return note -> {
      if (passed.add(note)) {
        onNote.accept(note);
      }
    };
  }

  /** Opens the reference, which other backends are checked against. */
  public static Backend reference() {
    return new ReferenceBackend();
  }

  /** Opens the first usable GPU, or the CPU if there is none. */
  private static Selection openAny(Usage usage) {
    try {
      return new Selection(CudaBackend.openFirst(cudaOptions(usage), usage.onNote()), "a GPU that can be used");
    } catch (DeviceUnavailableException e) {
      return new Selection(cpu(usage), e.getMessage());
    }
  }

  private static Backend cpu(Usage usage) {
    CpuOptions options = CpuOptions.standard();
    return new CpuBackend(options.withThreads(usage.threads().orElse(options.threads())), usage.onNote());
  }

  private static CudaOptions cudaOptions(Usage usage) {
    CudaOptions options = CudaOptions.standard().withPlanner(usage.planner());
    return usage.recordGraphs() ? options : options.withExecution(CudaOptions.Execution.EAGER);
  }

  /** Returns everything that the last bits of a training on a backend depend on, including this version of Plumb. */
  public static Numerics numerics(Backend backend, NetworkSpec network, TrainingSpec training, int rows) {
    return ofThisVersion(backend.numerics(network, training, rows));
  }

  /** Returns a backend's numerics with this version of Plumb added. */
  public static Numerics ofThisVersion(Numerics numerics) {
    return numerics.with("plumb", Version.CURRENT);
  }

  /** Returns a report of this machine's GPUs, and of what is missing to use them. */
  public static GpuReport gpuReport() {
    return CudaReport.make();
  }
}
