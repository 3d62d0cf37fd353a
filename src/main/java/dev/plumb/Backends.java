package dev.plumb;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.List;

/** The one place that names all backends. */
public final class Backends {
  private static final String AUTO = "auto";
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
   * @throws InvalidInputException when it is none of these
   * @throws DeviceUnavailableException when it cannot be used here
   */
  public static Selection open(String device) {
    String name = device.matches("cuda:[0-9]+") ? "cuda" : device;
    return switch (name) {
      case AUTO -> new Selection(new ReferenceBackend(), "this version of Plumb has no faster backend");
      case "reference" -> new Selection(new ReferenceBackend(), "as asked for");
      case "cuda", "cpu" -> throw new DeviceUnavailableException("device " + device
          + " cannot be used: this version of Plumb has the reference backend alone; use --device reference or auto");
      default -> throw new InvalidInputException("unknown device \"" + device + "\"" + Spelling.didYouMean(device, DEVICES)
          + "; one of auto, cuda, cuda:N, cpu, reference");
    };
  }
}
