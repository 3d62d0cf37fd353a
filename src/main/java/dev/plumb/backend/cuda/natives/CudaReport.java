package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.GpuReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import jcuda.driver.JCudaDriver;

/**
 * The CUDA part of {@code plumb devices}: the driver and libraries found in the file system, then the devices that the driver
 * reports.
 */
public final class CudaReport {
  private CudaReport() {}

  /** Searches for CUDA, loads it if it is complete, and returns the report. */
  public static GpuReport make() {
    CudaSystem system = CudaNatives.system().withCublas();
    List<GpuReport.Detection> detections = new ArrayList<>(detections(system));
    Optional<CudaProblem> problem = CudaNatives.tryLoad();
    if (problem.isPresent()) {
      return unusable(detections, List.of(), problem.get());
    }
    int[] cuda = new int[1];
    JCudaDriver.cuDriverGetVersion(cuda);
    detections.add(detection("driver reports", "CUDA " + CudaVersions.text(cuda[0])));
    return withDevices(system, detections, CudaDevices.read());
  }

  /** Returns the report of a machine where CUDA was loaded. */
  static GpuReport withDevices(CudaSystem system, List<GpuReport.Detection> detections, List<GpuReport.Gpu> devices) {
    List<GpuReport.Gpu> usable = devices.stream().filter(device -> device.fault().isEmpty()).toList();
    if (usable.isEmpty()) {
      return unusable(
          detections, devices, CudaProblem.devicesTooOld(devices.stream().map(device -> device.fault().orElseThrow()).toList()));
    }
    GpuReport.Gpu first = usable.get(0);
    // --device cuda without a number is the first device.
    String option = first == devices.get(0) ? "cuda" : first.device();
    String others = usable.size() == 1 ? "" : ", and " + usable.stream().skip(1)
        .map(device -> device.device() + " " + device.name())
        .collect(Collectors.joining(", "));
    String standIn = system.host().hostDevice().isPresent() ? "HOST DEVICE, computed on the CPU, not a GPU: " : "";
    return new GpuReport(detections, devices, true,
        "usable: --device " + option + " (" + standIn + first.name() + others + ")", Optional.empty());
  }

  private static GpuReport unusable(List<GpuReport.Detection> detections, List<GpuReport.Gpu> devices, CudaProblem problem) {
    return new GpuReport(detections, devices, false, "not usable: " + problem.reason(), Optional.of(problem.remedy()));
  }

  /** Returns the detections that need only the file system. */
  static List<GpuReport.Detection> detections(CudaSystem system) {
    HostEnvironment host = system.host();
    if (system.platform().isEmpty()) {
      return List.of(detection("platform", host.osName() + " " + host.osArch() + ": not supported"));
    }
    List<GpuReport.Detection> detections = new ArrayList<>();
    detections.add(detection("platform", system.platform().get() + ", JCuda " + CudaVersions.CURRENT.jcuda() + " in the jar"));
    host.hostDevice().ifPresent(folder -> detections.add(
        detection("host device", folder + " replaces the GPU: all computations run on the CPU")));
    detections.add(driver(system));
    if (system.platform().get() == CudaPlatform.LINUX && host.hostDevice().isEmpty()) {
      detections.add(detection("kernel module", system.kernelVersion().orElse("not loaded")));
      detections.add(detection("device files", deviceFiles(system)));
    }
    detections.addAll(cublas(system));
    return detections;
  }

  private static GpuReport.Detection driver(CudaSystem system) {
    String version = system.driverVersion()
        .map(driver -> driver + CudaVersions.CURRENT.cudaOfDriver(driver)
            .map(cuda -> " (CUDA " + CudaVersions.text(cuda) + ")").orElse("") + ", ")
        .orElse("");
    String name = system.platform().orElseThrow().driverLibrary();
    return system.driver().file()
        .map(file -> detection("driver", version + file))
        .orElseGet(() -> missing("driver", name, system.driver()));
  }

  private static String deviceFiles(CudaSystem system) {
    String names = system.deviceFiles().stream().map(Path::toString).collect(Collectors.joining(", "));
    String closed = system.closedDeviceFiles().isEmpty() ? "" : " (no permission for "
        + system.closedDeviceFiles().stream().map(Path::toString).collect(Collectors.joining(", ")) + ")";
    return names.isEmpty() ? "none" : names + closed;
  }

  private static List<GpuReport.Detection> cublas(CudaSystem system) {
    if (system.cublas().values().stream().allMatch(result -> result.file().isEmpty() && result.damaged().isEmpty())) {
      Set<String> places = new LinkedHashSet<>();
      system.cublas().values().forEach(result -> places.addAll(result.lookedIn()));
      String names = system.cublas().keySet().stream()
          .map(version -> version.fileName(system.platform().orElseThrow()).orElseThrow())
          .collect(Collectors.joining(", no "));
      return List.of(new GpuReport.Detection("cuBLAS", "no " + names, Optional.empty(), List.copyOf(places)));
    }
    Optional<CudaSystem.CublasFile> taken = system.cublasFile();
    List<GpuReport.Detection> detections = new ArrayList<>();
    system.cublas().forEach((version, result) -> {
      boolean used = taken.isPresent() && taken.get().version() == version;
      String use = !used ? "not used" : version.major() == 13 ? "used, through a patched copy of JCublas" : "used";
      String found = result.file().isPresent()
          ? result.file().get() + " (" + result.source().orElseThrow() + "; " + use + ")"
          : result.damaged().isEmpty() ? "not found" : damaged(result);
      detections.add(new GpuReport.Detection("cuBLAS " + version.major(), found, result.source(), List.of()));
    });
    return detections;
  }

  private static GpuReport.Detection missing(String label, String name, LibrarySearch.Result result) {
    return result.damaged().isEmpty()
        ? new GpuReport.Detection(label, "no " + name, Optional.empty(), result.lookedIn())
        : detection(label, damaged(result));
  }

  private static String damaged(LibrarySearch.Result result) {
    return result.damaged().get(0) + " (damaged)";
  }

  private static GpuReport.Detection detection(String label, String found) {
    return new GpuReport.Detection(label, found, Optional.empty(), List.of());
  }
}
