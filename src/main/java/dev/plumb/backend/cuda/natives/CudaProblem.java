package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.DeviceUnavailableException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;

/**
 * A reason why CUDA cannot be used on this machine, and its remedy. All of them are made in this class, so that
 * {@code plumb devices} and a command that asks for the GPU report the same.
 *
 * @param reason the problem, without a full stop
 * @param remedy the action that solves it, without a full stop
 */
public record CudaProblem(String reason, String remedy) {
  static CudaProblem unsupportedPlatform(HostEnvironment host) {
    return new CudaProblem("CUDA for Java is not available on " + host.osName() + " " + host.osArch()
            + ", only on Linux and Windows x86-64",
        "use the CPU (--device auto or cpu), or a Linux or Windows x86-64 machine with an NVIDIA GPU");
  }

  static CudaProblem noDriver(CudaSystem system) {
    CudaPlatform platform = system.platform().orElseThrow();
    String library = platform.driverLibrary();
    if (system.kernelVersion().isPresent() || !system.deviceFiles().isEmpty()) {
      return new CudaProblem("the NVIDIA driver " + system.kernelVersion().map(version -> version + " ").orElse("")
              + "is running on this machine, but its library " + library + " was not found",
          "in a container, start it with --gpus all (this needs the NVIDIA Container Toolkit); otherwise install the driver's CUDA"
              + " library in the same version (Ubuntu: libnvidia-compute-NNN, Debian: libcuda1)");
    }
    return new CudaProblem("no NVIDIA driver is installed: " + library + " was not found",
        "install the NVIDIA driver " + firstDriver(system) + " or newer"
            + (platform == CudaPlatform.LINUX ? "; in a container, start it with --gpus all" : ""));
  }

  static CudaProblem damagedDriver(Path file) {
    return new CudaProblem("the driver library " + file + " is damaged: it is truncated or unreadable",
        "reinstall the NVIDIA driver");
  }

  /** @param found the version that is too old: "driver 470.57.02" or "CUDA 11.4" */
  static CudaProblem driverTooOld(CudaSystem system, String found, CudaVersions.Cublas cublas) {
    CudaPlatform platform = system.platform().orElseThrow();
    CudaVersions.Cublas preferred = CudaVersions.CURRENT.cublas().get(0);
    String needed = cublas.firstDriver(platform);
    String branch = needed.substring(0, needed.indexOf('.'));
    return new CudaProblem("the NVIDIA driver is too old: found " + found + ", but cuBLAS " + cublas.major() + " needs CUDA "
            + CudaVersions.text(cublas.cuda()) + " (driver " + needed + " or newer)",
        "install driver branch " + branch + " or newer"
            + (cublas == preferred ? "" : ", or cuBLAS " + preferred.major() + " next to cuBLAS " + cublas.major()));
  }

  static CudaProblem noCublas(CudaSystem system) {
    CudaPlatform platform = system.platform().orElseThrow();
    String names = CudaVersions.CURRENT.cublas().stream()
        .flatMap(version -> version.fileName(platform).stream())
        .collect(Collectors.joining(" nor "));
    return new CudaProblem("the NVIDIA driver is installed, but cuBLAS is not: "
            + (names.contains(" nor ") ? "neither " + names + " was found" : names + " was not found"),
        switch (platform) {
          case LINUX -> "install cuBLAS 12 or 13 (pip install nvidia-cublas-cu12, or NVIDIA's package libcublas-12-6); if it is"
              + " installed elsewhere, add its folder to LD_LIBRARY_PATH, or add the Python environment that contains it to PATH";
          case WINDOWS -> "install the CUDA Toolkit 12 with cuBLAS; if it is installed elsewhere, add its bin folder to PATH";
        });
  }

  static CudaProblem damagedCublas(Path file) {
    return new CudaProblem("the cuBLAS library " + file + " is damaged: it is truncated or unreadable", "reinstall cuBLAS");
  }

  static CudaProblem cannotUnpack(String cause) {
    return new CudaProblem("JCuda's libraries could not be unpacked: " + cause,
        "check that the temporary folder is writable, has free space and is not mounted noexec (to use another one, set"
            + " PLUMB_JAVA_OPTS=-Djava.io.tmpdir=DIR), and that the jar is complete");
  }

  static CudaProblem damagedJar(String library) {
    return new CudaProblem("Plumb's jar is damaged: its library " + library + " is truncated", "build or download the jar again");
  }

  /** @param cause the system loader's message */
  static CudaProblem cannotLoad(String cause) {
    boolean noexec = cause.contains("failed to map segment") || cause.contains("Operation not permitted");
    return new CudaProblem("a library could not be loaded: " + cause, noexec
        ? "check that its folder is not mounted noexec"
        : "reinstall that library (plumb devices lists the libraries in use)");
  }

  /** @param code the error code that cuInit, or another of the first driver calls, returned */
  static CudaProblem driverRefuses(CudaSystem system, String call, int code) {
    String reason = "the NVIDIA driver failed to start: " + call + " returned " + CUresult.stringFor(code) + " (" + code + ")";
    return switch (code) {
      case CUresult.CUDA_ERROR_NO_DEVICE -> noDevice(system);
      case CUresult.CUDA_ERROR_STUB_LIBRARY -> new CudaProblem(
          "the driver library " + system.driver().file().orElseThrow() + " is the CUDA Toolkit's stub, which is only for linking",
          "remove the stub's folder from LD_LIBRARY_PATH");
      case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH -> new CudaProblem(
          reason + ": the driver library and the kernel module have different versions", "restart the machine");
      case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE -> new CudaProblem(
          reason + ": the forward-compatibility library does not support this GPU",
          "remove the cuda-compat folder from LD_LIBRARY_PATH, and install a newer driver");
      default -> !system.closedDeviceFiles().isEmpty()
          ? closedDeviceFiles(system)
          : new CudaProblem(reason, "check that nvidia-smi works; restart the machine if the driver was just installed");
    };
  }

  static CudaProblem noDevice(CudaSystem system) {
    if (!system.closedDeviceFiles().isEmpty()) {
      return closedDeviceFiles(system);
    }
    // An empty value hides all GPUs.
    String visible = system.host().variables().get("CUDA_VISIBLE_DEVICES");
    if (visible != null) {
      return new CudaProblem("the NVIDIA driver is installed but reports no GPU; CUDA_VISIBLE_DEVICES is \"" + visible + "\"",
          "unset CUDA_VISIBLE_DEVICES, and check that nvidia-smi lists a GPU");
    }
    boolean hasDevice = !system.deviceFiles().isEmpty() || system.host().hostDevice().isPresent();
    return hasDevice || system.platform().orElseThrow() == CudaPlatform.WINDOWS
        ? new CudaProblem("the NVIDIA driver is installed but reports no GPU",
            "check that an NVIDIA GPU is installed and that nvidia-smi lists it")
        : new CudaProblem("the driver library is installed, but no GPU is available: /dev/nvidia0 does not exist",
            "in a container, start it with --gpus all; otherwise load the driver (modprobe nvidia) and check that nvidia-smi"
                + " lists a GPU");
  }

  private static CudaProblem closedDeviceFiles(CudaSystem system) {
    return new CudaProblem("this user has no access to the GPU: no permission to read and write "
            + system.closedDeviceFiles().stream().map(Path::toString).collect(Collectors.joining(", ")),
        "add the user to the group that owns these files (often video or render), then log in again");
  }

  /** @param faults the result of {@link #deviceFault} for each device */
  public static CudaProblem devicesTooOld(List<String> faults) {
    return new CudaProblem(String.join("; ", faults), "use a GPU of the Turing generation (2018) or newer");
  }

  /** Returns why a device cannot be used, or empty if it can; {@code capability} is 61 for compute capability 6.1. */
  public static Optional<String> deviceFault(String name, int capability) {
    int min = CudaVersions.CURRENT.minimumComputeCapability();
    return capability >= min ? Optional.empty() : Optional.of(name + " is too old: its compute capability is "
        + capabilityText(capability) + ", but Plumb's kernels need " + capabilityText(min) + " or higher");
  }

  static String capabilityText(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  private static String firstDriver(CudaSystem system) {
    return CudaVersions.CURRENT.cublas().get(0).firstDriver(system.platform().orElseThrow());
  }

  /** Returns the exception for a command that needs the GPU. */
  public DeviceUnavailableException asException() {
    return new DeviceUnavailableException("the GPU cannot be used: " + reason + "; " + remedy);
  }
}
