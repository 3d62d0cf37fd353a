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

/** What {@code plumb devices} says of CUDA: what the machine's files tell, then what the driver tells. */
public final class CudaReport {
  private CudaReport() {}

  /** Looks, and loads CUDA where everything for it is there. */
  public static GpuReport make() {
    CudaSystem system = CudaNatives.system().withCublas();
    List<GpuReport.Detection> findings = new ArrayList<>(findings(system));
    Optional<CudaProblem> obstacle = CudaNatives.tryLoad();
    if (obstacle.isPresent()) {
      return unusable(findings, List.of(), obstacle.get());
    }
    int[] cuda = new int[1];
    JCudaDriver.cuDriverGetVersion(cuda);
    findings.add(finding("driver says", "CUDA " + CudaVersions.text(cuda[0])));
    return withCards(system, findings, CudaDevices.read());
  }

  /** The report on a machine where CUDA loads. */
  static GpuReport withCards(CudaSystem system, List<GpuReport.Detection> findings, List<GpuReport.Gpu> cards) {
    List<GpuReport.Gpu> usable = cards.stream().filter(card -> card.fault().isEmpty()).toList();
    if (usable.isEmpty()) {
      return unusable(
          findings, cards, CudaProblem.cardsTooOld(cards.stream().map(card -> card.fault().orElseThrow()).toList()));
    }
    GpuReport.Gpu first = usable.get(0);
    // The plain option means the first card.
    String device = first == cards.get(0) ? "cuda" : first.device();
    String others = usable.size() == 1 ? "" : ", and " + usable.stream().skip(1)
        .map(card -> card.device() + " " + card.name())
        .collect(Collectors.joining(", "));
    String standIn = system.host().hostDevice().isPresent() ? "HOST DEVICE, computed on the CPU, not a GPU: " : "";
    return new GpuReport(findings, cards, true,
        "usable: --device " + device + " (" + standIn + first.name() + others + ")", Optional.empty());
  }

  private static GpuReport unusable(List<GpuReport.Detection> findings, List<GpuReport.Gpu> cards, CudaProblem obstacle) {
    return new GpuReport(findings, cards, false, "not usable: " + obstacle.reason(), Optional.of(obstacle.remedy()));
  }

  /** What the files tell. */
  static List<GpuReport.Detection> findings(CudaSystem system) {
    HostEnvironment host = system.host();
    if (system.platform().isEmpty()) {
      return List.of(finding("platform", host.osName() + " " + host.osArch() + ": not supported"));
    }
    List<GpuReport.Detection> findings = new ArrayList<>();
    findings.add(finding("platform", system.platform().get() + ", JCuda " + CudaVersions.CURRENT.jcuda() + " in the jar"));
    host.hostDevice().ifPresent(folder -> findings.add(
        finding("host device", folder + " stands in for the GPU: everything is computed on the CPU")));
    findings.add(driver(system));
    if (system.platform().get() == CudaPlatform.LINUX && host.hostDevice().isEmpty()) {
      findings.add(finding("kernel module", system.kernelVersion().orElse("not loaded")));
      findings.add(finding("device files", deviceFiles(system)));
    }
    findings.addAll(cublas(system));
    return findings;
  }

  private static GpuReport.Detection driver(CudaSystem system) {
    String version = system.driverVersion()
        .map(driver -> driver + CudaVersions.CURRENT.cudaOfDriver(driver)
            .map(cuda -> " (CUDA " + CudaVersions.text(cuda) + ")").orElse("") + ", ")
        .orElse("");
    String name = system.platform().orElseThrow().driverLibrary();
    return system.driver().file()
        .map(file -> finding("driver", version + file))
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
    List<GpuReport.Detection> findings = new ArrayList<>();
    system.cublas().forEach((version, result) -> {
      boolean used = taken.isPresent() && taken.get().version() == version;
      String use = !used ? "not used" : version.major() == 13 ? "used, by a private copy of JCublas that asks for it" : "used";
      String found = result.file().isPresent()
          ? result.file().get() + " (" + result.source().orElseThrow() + "; " + use + ")"
          : result.damaged().isEmpty() ? "not found" : damaged(result);
      findings.add(new GpuReport.Detection("cuBLAS " + version.major(), found, result.source(), List.of()));
    });
    return findings;
  }

  private static GpuReport.Detection missing(String what, String name, LibrarySearch.Result result) {
    return result.damaged().isEmpty()
        ? new GpuReport.Detection(what, "no " + name, Optional.empty(), result.lookedIn())
        : finding(what, damaged(result));
  }

  private static String damaged(LibrarySearch.Result result) {
    return result.damaged().get(0) + " (damaged)";
  }

  private static GpuReport.Detection finding(String what, String found) {
    return new GpuReport.Detection(what, found, Optional.empty(), List.of());
  }
}
