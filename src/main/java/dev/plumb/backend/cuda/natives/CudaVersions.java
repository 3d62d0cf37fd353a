package dev.plumb.backend.cuda.natives;

import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions of JCuda, cuBLAS and the driver that work together: the table native-config/cuda-versions.json. CUDA versions are
 * integers in the driver's format: 12060 is 12.6.
 */
final class CudaVersions {
  private static final Pattern VERSION = Pattern.compile("([0-9]+)\\.([0-9]+).*");

  /** The table in this build. */
  static final CudaVersions CURRENT = read();

  /**
   * A cuBLAS that JCublas can use.
   *
   * @param fileName the library's file name by the ordinal of the {@link CudaPlatform}; empty where the library cannot be used
   * @param cuda the CUDA version that the driver must support for the library to work
   * @param firstDriver the first driver with that CUDA version on each platform; empty where the library cannot be used
   */
  record Cublas(int major, List<Optional<String>> fileName, int cuda, List<Optional<String>> firstDriver) {
    Optional<String> fileName(CudaPlatform platform) {
      return fileName.get(platform.ordinal());
    }

    String firstDriver(CudaPlatform platform) {
      return firstDriver.get(platform.ordinal()).orElseThrow();
    }
  }

  private final String jcuda;
  private final int minimumComputeCapability;
  private final List<Cublas> cublas;
  private final NavigableMap<Integer, Integer> cudaOfBranch = new TreeMap<>();

  private CudaVersions(JsonObject table) {
    jcuda = table.text("jcuda");
    minimumComputeCapability = number(table.text("minimumComputeCapability"), 10, 1);
    cublas = table.objects("cublas").stream().map(entry -> new Cublas(
        entry.integer("major"),
        List.of(optional(entry, "linux"), optional(entry, "windows")),
        cuda(entry.text("cuda")),
        List.of(optional(entry, "driverLinux"), optional(entry, "driverWindows")))).toList();
    for (JsonObject branch : table.objects("driverBranches")) {
      cudaOfBranch.put(branch.integer("branch"), cuda(branch.text("cuda")));
    }
  }

  String jcuda() {
    return jcuda;
  }

  /** Returns the lowest compute capability of Plumb's kernels, 75 for 7.5. */
  int minimumComputeCapability() {
    return minimumComputeCapability;
  }

  /** Returns the usable versions of cuBLAS, the preferred one first. */
  List<Cublas> cublas() {
    return cublas;
  }

  /** Returns the CUDA version of a driver like 535.183.01; empty if it is older than the table or not a version. */
  Optional<Integer> cudaOfDriver(String driver) {
    Matcher matcher = VERSION.matcher(driver);
    return matcher.matches()
        ? Optional.ofNullable(cudaOfBranch.floorEntry(Integer.valueOf(matcher.group(1)))).map(entry -> entry.getValue())
        : Optional.empty();
  }

  /** Returns whether a driver version is known to be lower than the required one; both like 535.183.01. */
  static boolean isOlder(String driver, String needed) {
    Matcher present = VERSION.matcher(driver);
    Matcher required = VERSION.matcher(needed);
    if (!present.matches() || !required.matches()) {
      return false;
    }
    int major = Integer.compare(Integer.parseInt(present.group(1)), Integer.parseInt(required.group(1)));
    return major < 0 || major == 0 && Integer.parseInt(present.group(2)) < Integer.parseInt(required.group(2));
  }

  /** Formats a CUDA version: 12060 as 12.6. */
  static String text(int cuda) {
    return cuda / 1000 + "." + cuda % 1000 / 10;
  }

  private static int cuda(String version) {
    return number(version, 1000, 10);
  }

  private static int number(String version, int ofMajor, int ofMinor) {
    Matcher matcher = VERSION.matcher(version);
    if (!matcher.matches()) {
      throw new IllegalStateException("cuda-versions.json: " + version + " is not a version");
    }
    return ofMajor * Integer.parseInt(matcher.group(1)) + ofMinor * Integer.parseInt(matcher.group(2));
  }

  private static Optional<String> optional(JsonObject entry, String key) {
    return entry.has(key) ? Optional.of(entry.text(key)) : Optional.empty();
  }

  private static CudaVersions read() {
    try (InputStream in = CudaVersions.class.getResourceAsStream("cuda-versions.json")) {
      return new CudaVersions(JsonInput.parse(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
