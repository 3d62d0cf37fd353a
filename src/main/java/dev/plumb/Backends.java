package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuReport;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaOptions;
import dev.plumb.backend.cuda.CudaReport;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.List;
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

  private Backends() {}

  /**
   * Opens what the user asked for. Only auto chooses; a device asked for by name is never replaced by another.
   *
   * @param device auto, cuda, cuda:N, cpu or reference
   * @param recordGraphs whether a GPU may take many steps as one recorded graph; launch by launch it is slower, but easier to trace
   * @throws InvalidInputException when it is none of these
   * @throws DeviceUnavailableException when it cannot be used here
   */
  public static Selection open(String device, boolean recordGraphs) {
    if (device.equals(AUTO)) {
      return openAny(recordGraphs);
    }
    if (device.equals("cpu")) {
      throw new DeviceUnavailableException("device cpu cannot be used: this version of Plumb has no fast CPU backend yet;"
          + " use --device reference or auto");
    }
    if (device.equals("reference")) {
      return new Selection(reference(), "as asked for");
    }
    Matcher cuda = CUDA.matcher(device);
    if (cuda.matches()) {
      int ordinal = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
      return new Selection(new CudaBackend(ordinal, cudaOptions(recordGraphs)), "as asked for");
    }
    throw new InvalidInputException("unknown device \"" + device + "\"" + Spelling.didYouMean(device, DEVICES)
        + "; one of auto, cuda, cuda:N, cpu, reference");
  }

  /** The reference, to check others against. */
  public static Backend reference() {
    return new ReferenceBackend();
  }

  /** A usable GPU, else what computes without one. */
  private static Selection openAny(boolean recordGraphs) {
    try {
      return new Selection(CudaBackend.openFirst(cudaOptions(recordGraphs)), "a GPU that can be used");
    } catch (DeviceUnavailableException e) {
      return new Selection(reference(), e.getMessage());
    }
  }

  private static CudaOptions cudaOptions(boolean recordGraphs) {
    CudaOptions options = CudaOptions.standard();
    return recordGraphs ? options : options.withExecution(CudaOptions.Execution.EAGER);
  }

  /** What there is of GPUs on this machine, and what to do to get one used. */
  public static GpuReport gpuReport() {
    return CudaReport.make();
  }
}
