package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.DeviceUnavailableException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;

/**
 * Why CUDA cannot be used here. All such reasons are made in this class, so that a command that was refused the GPU and
 * {@code plumb devices} say the same.
 *
 * @param reason what is wrong, without a full stop
 * @param remedy what the user can do about it
 */
public record CudaProblem(String reason, String remedy) {
  static CudaProblem unsupportedPlatform(HostEnvironment host) {
    return new CudaProblem("there is no CUDA for Java on " + host.osName() + " " + host.osArch()
            + ", only on Linux and Windows with an x86-64 processor",
        "compute without a GPU here (--device auto does), or use a Linux or Windows x86-64 machine with an NVIDIA card");
  }

  static CudaProblem noDriver(CudaSystem system) {
    CudaPlatform platform = system.platform().orElseThrow();
    String library = platform.driverLibrary();
    if (system.kernelVersion().isPresent() || !system.deviceFiles().isEmpty()) {
      return new CudaProblem("the NVIDIA driver " + system.kernelVersion().map(version -> version + " ").orElse("")
              + "runs on this machine, but its library " + library + " was not found",
          "in a container: start it with --gpus all (NVIDIA Container Toolkit); otherwise install the driver's CUDA library"
              + " of the same version (Ubuntu: libnvidia-compute-NNN, Debian: libcuda1)");
    }
    return new CudaProblem("there is no NVIDIA driver: " + library + " was not found",
        "install NVIDIA's driver, " + firstDriver(system) + " or newer"
            + (platform == CudaPlatform.LINUX ? "; in a container: start it with --gpus all" : ""));
  }

  static CudaProblem damagedDriver(Path file) {
    return new CudaProblem("the driver's library " + file + " is damaged: it is cut off, or cannot be read",
        "install NVIDIA's driver again");
  }

  /** @param found what is too old: driver 470.57.02 */
  static CudaProblem driverTooOld(CudaSystem system, String found, CudaVersions.Cublas cublas) {
    CudaPlatform platform = system.platform().orElseThrow();
    CudaVersions.Cublas oldest = CudaVersions.CURRENT.cublas().get(0);
    String needed = cublas.firstDriver(platform);
    String branch = needed.substring(0, needed.indexOf('.'));
    return new CudaProblem("the NVIDIA driver is too old: " + found + ", and cuBLAS " + cublas.major() + " needs CUDA "
            + CudaVersions.text(cublas.cuda()) + " (driver " + needed + " or newer)",
        "install a driver of branch " + branch + " or newer"
            + (cublas == oldest ? "" : ", or cuBLAS " + oldest.major() + " beside cuBLAS " + cublas.major()));
  }

  static CudaProblem noCublas(CudaSystem system) {
    CudaPlatform platform = system.platform().orElseThrow();
    String names = CudaVersions.CURRENT.cublas().stream()
        .flatMap(version -> version.fileName(platform).stream())
        .collect(Collectors.joining(" nor "));
    return new CudaProblem("the driver is there, but cuBLAS is not: " + (names.contains(" nor ") ? "neither " : "no ") + names
            + " was found",
        switch (platform) {
          case LINUX -> "install cuBLAS 12 or 13 (NVIDIA's package libcublas-12-6, or pip install nvidia-cublas-cu12); where"
              + " it is elsewhere, set LD_LIBRARY_PATH to its folder, or put the Python that it was installed for on PATH";
          case WINDOWS -> "install the CUDA Toolkit 12 with its cuBLAS; where it is elsewhere, put its bin folder on PATH";
        });
  }

  static CudaProblem damagedCublas(Path file) {
    return new CudaProblem("the library " + file + " is damaged: it is cut off, or cannot be read", "install cuBLAS again");
  }

  static CudaProblem cannotUnpack(String what) {
    return new CudaProblem("JCuda's libraries could not be unpacked: " + what,
        "see that the temp folder has space, can be written and is not mounted noexec (another one:"
            + " PLUMB_JAVA_OPTS=-Djava.io.tmpdir=DIR), and that the jar is whole");
  }

  static CudaProblem damagedJar(String library) {
    return new CudaProblem("Plumb's jar is damaged: its library " + library + " is cut off", "build or download the jar again");
  }

  /** @param what the loader's own words */
  static CudaProblem cannotLoad(String what) {
    if (what.contains("failed to map segment") || what.contains("Operation not permitted")) {
      return new CudaProblem("a library could not be loaded: " + what,
          "see that its folder is not mounted noexec");
    }
    return new CudaProblem("a library could not be loaded: " + what,
        "compare with the libraries that plumb devices lists, and install again the one that is named");
  }

  /** @param code what cuInit or another of the driver's first calls gave back */
  static CudaProblem driverRefuses(CudaSystem system, String call, int code) {
    String reason = "the driver cannot start: " + call + " says " + CUresult.stringFor(code) + " (" + code + ")";
    return switch (code) {
      case CUresult.CUDA_ERROR_NO_DEVICE -> noCard(system);
      case CUresult.CUDA_ERROR_STUB_LIBRARY -> new CudaProblem(
          "the driver's library " + system.driver().file().orElseThrow()
              + " is the CUDA Toolkit's stub, which is for linking alone",
          "take the folder with the stub out of LD_LIBRARY_PATH");
      case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH -> new CudaProblem(
          reason + ": its library and its kernel module are of different versions", "restart the machine");
      case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE -> new CudaProblem(
          reason + ": the forward compatibility library is not for this card",
          "take the cuda-compat folder out of LD_LIBRARY_PATH, and install a newer driver");
      default -> !system.closedDeviceFiles().isEmpty()
          ? closedDeviceFiles(system)
          : new CudaProblem(reason, "see that nvidia-smi works; restart the machine if the driver was just installed");
    };
  }

  static CudaProblem noCard(CudaSystem system) {
    if (!system.closedDeviceFiles().isEmpty()) {
      return closedDeviceFiles(system);
    }
    // Set to nothing it hides all cards.
    String visible = system.host().variables().get("CUDA_VISIBLE_DEVICES");
    if (visible != null) {
      return new CudaProblem("the driver is there, but shows no card; CUDA_VISIBLE_DEVICES is \"" + visible + "\"",
          "unset CUDA_VISIBLE_DEVICES, and see that nvidia-smi lists a card");
    }
    boolean anyFile = !system.deviceFiles().isEmpty() || system.host().hostDevice().isPresent();
    return anyFile || system.platform().orElseThrow() == CudaPlatform.WINDOWS
        ? new CudaProblem("the driver is there, but finds no card",
            "see that an NVIDIA card is built in and that nvidia-smi lists it")
        : new CudaProblem("the driver's library is there, but no card: there is no /dev/nvidia0",
            "in a container: start it with --gpus all; otherwise load the driver (modprobe nvidia) and see that nvidia-smi"
                + " lists a card");
  }

  private static CudaProblem closedDeviceFiles(CudaSystem system) {
    return new CudaProblem("this user may not use the card: no permission to read and write "
            + system.closedDeviceFiles().stream().map(Path::toString).collect(Collectors.joining(", ")),
        "have the user added to the group that owns these files (often video or render), and log in again");
  }

  /** @param faults what {@link #cardFault} said of every card */
  public static CudaProblem cardsTooOld(List<String> faults) {
    return new CudaProblem(String.join("; ", faults), "use a card of the Turing generation (2018) or newer");
  }

  /** Why a card cannot be used; empty when it can. {@code capability} is 61 for 6.1. */
  public static Optional<String> cardFault(String name, int capability) {
    int least = CudaVersions.CURRENT.minimumComputeCapability();
    return capability >= least ? Optional.empty() : Optional.of(name + " is too old: it has compute capability "
        + capabilityText(capability) + ", and Plumb's kernels need " + capabilityText(least));
  }

  static String capabilityText(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  private static String firstDriver(CudaSystem system) {
    return CudaVersions.CURRENT.cublas().get(0).firstDriver(system.platform().orElseThrow());
  }

  public DeviceUnavailableException asException() {
    return new DeviceUnavailableException("the GPU cannot be used: " + reason + "; " + remedy);
  }
}
