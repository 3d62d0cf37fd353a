package dev.plumb.backend.cuda.natives;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The platforms that have both a CUDA driver and JCuda natives in the jar. */
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

  /** By Java's properties os.name and os.arch; empty where JCuda has no natives. */
  static Optional<CudaPlatform> of(String osName, String osArch) {
    String arch = osArch.toLowerCase(Locale.ROOT);
    if (!arch.equals("amd64") && !arch.equals("x86_64")) {
      return Optional.empty();
    }
    String os = osName.toLowerCase(Locale.ROOT);
    return os.startsWith("linux") ? Optional.of(LINUX) : os.startsWith("windows") ? Optional.of(WINDOWS) : Optional.empty();
  }

  /** The file name of the driver's library. */
  String driverLibrary() {
    return driverLibrary;
  }

  /** The native of JCuda's driver API, as a file name. */
  String driverNative() {
    return fileName("JCudaDriver");
  }

  /** The native of JCublas, as a file name. */
  String cublasNative() {
    return fileName("JCublas2");
  }

  /** What Plumb unpacks, in the order in which it is loaded. */
  List<String> natives() {
    return List.of(driverNative(), cublasNative());
  }

  /** As JCuda names its natives. */
  @Override
  public String toString() {
    return classifier;
  }

  private String fileName(String library) {
    return prefix + library + "-" + CudaVersions.CURRENT.jcuda() + "-" + classifier + extension;
  }
}
