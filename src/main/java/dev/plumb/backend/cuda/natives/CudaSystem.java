package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The driver and the libraries of CUDA on a machine, found in its file system before any native code is loaded.
 *
 * @param platform empty where CUDA for Java is not available; then nothing else was searched for
 * @param driver the driver's library
 * @param driverVersion that library's version, like 535.183.01, otherwise the kernel module's; empty if neither is known
 * @param kernelVersion the version of the driver's kernel module, where one is loaded
 * @param deviceFiles the devices' files below /dev
 * @param closedDeviceFiles the device files that this user cannot read and write
 * @param cublas the search result for each usable version of cuBLAS, the preferred one first; empty if it was not searched for
 */
record CudaSystem(
    HostEnvironment host,
    Optional<CudaPlatform> platform,
    LibrarySearch.Result driver,
    Optional<String> driverVersion,
    Optional<String> kernelVersion,
    List<Path> deviceFiles,
    List<Path> closedDeviceFiles,
    Map<CudaVersions.Cublas, LibrarySearch.Result> cublas) {

  /** A cuBLAS library to be loaded. */
  record CublasFile(CudaVersions.Cublas version, Path file) {}

  private static final LibrarySearch.Result NOTHING =
      new LibrarySearch.Result(Optional.empty(), Optional.empty(), List.of(), List.of());

  /** NVIDIA's driver calls its library libcuda.so.535.183.01, with libcuda.so.1 a link to it. */
  private static final Pattern IN_NAME = Pattern.compile("libcuda\\.so\\.([0-9]+\\.[0-9.]+)");

  private static final Pattern IN_PROC = Pattern.compile("NVRM version:.*?\\s([0-9]{3,}\\.[0-9.]+)\\s");

  /** Device files; WSL has one for all devices. */
  private static final String DEVICE_FILES = "{nvidia[0-9]*,nvidiactl,nvidia-uvm,dxg}";

  /** Inspects a machine. Searches for cuBLAS, the longest search, only if there is a driver, as it is useless without one. */
  static CudaSystem inspect(HostEnvironment host) {
    Optional<CudaPlatform> found = host.platform();
    if (found.isEmpty()) {
      return new CudaSystem(
          host, found, NOTHING, Optional.empty(), Optional.empty(), List.of(), List.of(), Map.of());
    }
    CudaPlatform platform = found.get();
    LibrarySearch.Result driver = new LibrarySearch(host).driver(platform);
    // The host device of the tests is independent of the driver of the machine.
    boolean real = platform == CudaPlatform.LINUX && host.hostDevice().isEmpty();
    Optional<String> kernelVersion = real ? kernelVersion(host) : Optional.empty();
    List<Path> deviceFiles = real ? deviceFiles(host) : List.of();
    CudaSystem system = new CudaSystem(host, found, driver,
        driver.file().flatMap(CudaSystem::versionInName).or(() -> kernelVersion), kernelVersion,
        deviceFiles,
        deviceFiles.stream().filter(file -> !Files.isReadable(file) || !Files.isWritable(file)).toList(),
        Map.of());
    return driver.file().isPresent() ? system.withCublas() : system;
  }

  /** Returns this system with cuBLAS searched for even without a driver. */
  CudaSystem withCublas() {
    if (platform.isEmpty() || !cublas.isEmpty()) {
      return this;
    }
    LibrarySearch search = new LibrarySearch(host);
    Map<CudaVersions.Cublas, LibrarySearch.Result> results = new LinkedHashMap<>();
    for (CudaVersions.Cublas version : CudaVersions.CURRENT.cublas()) {
      version.fileName(platform.get()).ifPresent(name -> results.put(version, search.cublas(platform.get(), name)));
    }
    return new CudaSystem(
        host, platform, driver, driverVersion, kernelVersion, deviceFiles, closedDeviceFiles, results);
  }

  /** Returns the cuBLAS that will be loaded; empty if there is none. */
  Optional<CublasFile> cublasFile() {
    return cublas.entrySet().stream()
        .filter(entry -> entry.getValue().file().isPresent())
        .findFirst()
        .map(entry -> new CublasFile(entry.getKey(), entry.getValue().file().get()));
  }

  /** Returns why CUDA cannot be used, as far as that is known without calling the driver. */
  Optional<CudaProblem> problem() {
    if (platform.isEmpty()) {
      return Optional.of(CudaProblem.unsupportedPlatform(host));
    }
    if (driver.file().isEmpty()) {
      return Optional.of(driver.damaged().isEmpty()
          ? CudaProblem.noDriver(this)
          : CudaProblem.damagedDriver(driver.damaged().get(0)));
    }
    Optional<CublasFile> file = cublasFile();
    if (file.isEmpty()) {
      // A driver that is too old for every cuBLAS is reported first: installing cuBLAS would not help.
      Optional<CudaProblem> tooOld = tooOld(CudaVersions.CURRENT.cublas().get(0));
      return tooOld.isPresent() ? tooOld : Optional.of(cublas.values().stream()
          .flatMap(result -> result.damaged().stream())
          .findFirst()
          .map(CudaProblem::damagedCublas)
          .orElseGet(() -> CudaProblem.noCublas(this)));
    }
    return tooOld(file.get().version());
  }

  private Optional<CudaProblem> tooOld(CudaVersions.Cublas version) {
    return driverVersion
        .filter(driver -> CudaVersions.isOlder(driver, version.firstDriver(platform.orElseThrow())))
        .map(driver -> CudaProblem.driverTooOld(this, "driver " + driver, version));
  }

  private static Optional<String> versionInName(Path driver) {
    try {
      Matcher matcher = IN_NAME.matcher(driver.toRealPath().getFileName().toString());
      return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> kernelVersion(HostEnvironment host) {
    Optional<String> proc = text(host.at("/proc/driver/nvidia/version"));
    if (proc.isPresent()) {
      Matcher matcher = IN_PROC.matcher(proc.get());
      if (matcher.find()) {
        return Optional.of(matcher.group(1));
      }
    }
    return text(host.at("/sys/module/nvidia/version")).map(String::strip);
  }

  private static Optional<String> text(Path file) {
    try {
      return Optional.of(Files.readString(file));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static List<Path> deviceFiles(HostEnvironment host) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> matching = Files.newDirectoryStream(host.at("/dev"), DEVICE_FILES)) {
      matching.forEach(files::add);
    } catch (IOException e) {
      // The folder does not exist or cannot be read: this process has no device files.
    }
    return files.stream().sorted().toList();
  }
}
