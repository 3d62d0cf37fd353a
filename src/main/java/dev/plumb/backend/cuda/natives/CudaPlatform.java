package dev.plumb.backend.cuda.natives;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A platform with a CUDA driver and with JCuda natives in the jar. */
enum CudaPlatform {
  LINUX("linux-x86_64", "lib", ".so", "libcuda.so.1"),
  WINDOWS("windows-x86_64", "", ".dll", "nvcuda.dll");

  private final String classifier;
  private final String prefix;
  private final String extension;
  private final String driverLibrary;

  CudaPlatform(String classifier, String prefix, String extension, String driverLibrary) {
    this.classifier = classifier;
    this.prefix = prefix;
    this.extension = extension;
    this.driverLibrary = driverLibrary;
  }

  /** Returns the platform for Java's properties os.name and os.arch; empty where JCuda has no natives. */
  static Optional<CudaPlatform> of(String osName, String osArch) {
    String arch = osArch.toLowerCase(Locale.ROOT);
    if (!arch.equals("amd64") && !arch.equals("x86_64")) {
      return Optional.empty();
    }
    String os = osName.toLowerCase(Locale.ROOT);
    return os.startsWith("linux") ? Optional.of(LINUX) : os.startsWith("windows") ? Optional.of(WINDOWS) : Optional.empty();
  }

  /** Returns the file name of the driver library. */
  String driverLibrary() {
    return driverLibrary;
  }

  /** Returns the file name of JCuda's native for the driver API. */
  String driverNative() {
    return fileName("JCudaDriver");
  }

  /** Returns the file name of JCublas's native. */
  String cublasNative() {
    return fileName("JCublas2");
  }

  /** Returns the file names of the natives that Plumb unpacks, in loading order. */
  List<String> natives() {
    return List.of(driverNative(), cublasNative());
  }

  /** Returns JCuda's name of the platform. */
  @Override
  public String toString() {
    return classifier;
  }

  private String fileName(String library) {
    return prefix + library + "-" + CudaVersions.CURRENT.jcuda() + "-" + classifier + extension;
  }
}
