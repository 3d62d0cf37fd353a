package dev.plumb;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A device to compute on, as a user names it.
 *
 * @param kind the kind of device
 * @param ordinal the number of the GPU, from 0, in the order of the driver; 0 for all other kinds
 */
public record Device(Kind kind, int ordinal) {
  /** The kinds of devices that a user can ask for. */
  public enum Kind {
    /** The first usable GPU, or the CPU if there is none. */
    AUTO,
    /** The CPU. */
    CPU,
    /** One NVIDIA GPU. */
    CUDA,
    /** All NVIDIA GPUs that can be used; only for {@code plumb study}, which trains many networks. */
    CUDA_ALL,
    /** Plain loops in double precision on one CPU thread: slow; the other devices are checked against it. */
    REFERENCE
  }

  /** The first usable GPU, or the CPU if there is none. */
  public static final Device AUTO = new Device(Kind.AUTO, 0);
  /** The CPU. */
  public static final Device CPU = new Device(Kind.CPU, 0);
  /** The first GPU. */
  public static final Device CUDA = new Device(Kind.CUDA, 0);
  /** All GPUs. */
  public static final Device CUDA_ALL = new Device(Kind.CUDA_ALL, 0);
  /** The reference. */
  public static final Device REFERENCE = new Device(Kind.REFERENCE, 0);

  /** The largest number of a GPU that a name can have. */
  private static final int MAX_ORDINAL = 99;
  private static final Pattern NUMBERED_GPU = Pattern.compile("cuda:([0-9]{1,2})");
  private static final List<String> NAMES = List.of("auto", "cuda", "cuda:all", "cpu", "reference");

  public Device {
    if (ordinal < 0 || ordinal > MAX_ORDINAL) {
      throw new InvalidInputException("GPU " + ordinal + ": the number must lie between 0 and " + MAX_ORDINAL);
    }
    if (ordinal > 0 && kind != Kind.CUDA) {
      throw new InvalidInputException("device " + key(kind) + " has no number, but got " + ordinal);
    }
  }

  /**
   * Returns one of several GPUs.
   *
   * @param ordinal its number, from 0, as {@code plumb devices} lists them
   */
  public static Device cuda(int ordinal) {
    return new Device(Kind.CUDA, ordinal);
  }

  /**
   * Parses the name of a device.
   *
   * @param name auto, cuda, cuda:N, cuda:all, cpu or reference
   * @throws InvalidInputException when it is none of these
   */
  public static Device parse(String name) {
    Matcher numbered = NUMBERED_GPU.matcher(name);
    if (numbered.matches()) {
      return cuda(Integer.parseInt(numbered.group(1)));
    }
    return switch (name) {
      case "auto" -> AUTO;
      case "cpu" -> CPU;
      case "cuda" -> CUDA;
      case "cuda:all" -> CUDA_ALL;
      case "reference" -> REFERENCE;
      default -> throw new InvalidInputException("unknown device \"" + name + "\"" + Spelling.didYouMean(name, NAMES)
          + "; one of auto, cuda, cuda:N, cuda:all, cpu, reference");
    };
  }

  /** Returns the name that {@link #parse} reads: auto, cuda, cuda:1, cuda:all, cpu, reference. */
  @Override
  public String toString() {
    return ordinal == 0 ? key(kind) : key(kind) + ":" + ordinal;
  }

  private static String key(Kind kind) {
    return kind == Kind.CUDA_ALL ? "cuda:all" : kind.name().toLowerCase(Locale.ROOT);
  }
}
