package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuReport;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaOptions;
import dev.plumb.backend.cuda.CudaReport;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Spelling;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one place that names all backends. */
public final class Backends {
  private static final String AUTO = "auto";
  /** Up to 99 cards: more than any machine has, and no overflow. */
  private static final Pattern CUDA = Pattern.compile("cuda(?::([0-9]{1,2}))?");
  private static final List<String> DEVICES = List.of(
      AUTO, DeviceInfo.Kind.CUDA.key(), DeviceInfo.Kind.CPU.key(), DeviceInfo.Kind.REFERENCE.key());

  /**
   * An opened backend.
   *
   * @param reason why it was this one, for people
   */
  public record Selection(Backend backend, String reason) implements AutoCloseable {
    @Override
    public void close() {
      backend.close();
    }
  }

  /**
   * How a device is to be used.
   *
   * @param recordGraphs whether a GPU may take many steps as one recorded graph; launch by launch it is slower, but easier to trace
   * @param planner how a GPU takes the steps of a network
   * @param threads on a CPU; empty for one a processor
   * @param onNote is told, in one line, when something works but slower than it could, and why
   */
  public record Usage(boolean recordGraphs, Planner planner, OptionalInt threads, Consumer<String> onNote) {
    /** As fast as it goes, and nobody to be told. */
    public static final Usage STANDARD = new Usage(true, Planner.AUTO, OptionalInt.empty(), note -> {});
  }

  private Backends() {}

  /**
   * Opens what the user asked for. Only auto chooses; a device asked for by name is never replaced by another.
   *
   * @param device auto, cuda, cuda:N, cpu or reference
   * @throws InvalidInputException when it is none of these
   * @throws DeviceUnavailableException when it cannot be used here
   */
  public static Selection open(String device, Usage usage) {
    if (device.equals(AUTO)) {
      return openAny(usage);
    }
    if (device.equals("cpu")) {
      return new Selection(cpu(usage), "as asked for");
    }
    if (device.equals("reference")) {
      return new Selection(reference(), "as asked for");
    }
    Matcher cuda = CUDA.matcher(device);
    if (cuda.matches()) {
      int ordinal = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
      return new Selection(new CudaBackend(ordinal, cudaOptions(usage), usage.onNote()), "as asked for");
    }
    throw new InvalidInputException("unknown device \"" + device + "\"" + Spelling.didYouMean(device, DEVICES)
        + "; one of auto, cuda, cuda:N, cpu, reference");
  }

  /** The reference, to check others against. */
  public static Backend reference() {
    return new ReferenceBackend();
  }

  /** A usable GPU, else the CPU. */
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

  /** Returns what decides the last bits of a training on a backend, this version of Plumb included. */
  public static Numerics numerics(Backend backend, NetworkSpec network, TrainingSpec training, int rows) {
    return ofThisVersion(backend.numerics(network, training, rows));
  }

  /** Adds this version of Plumb to what a backend returned. */
  public static Numerics ofThisVersion(Numerics numerics) {
    return numerics.with("plumb", Version.CURRENT);
  }

  /** What there is of GPUs on this machine, and what to do to get one used. */
  public static GpuReport gpuReport() {
    return CudaReport.make();
  }
}
