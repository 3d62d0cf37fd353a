package dev.plumb.backend.cuda.natives;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The parts of the host system that the search for CUDA reads; tests use a root folder of their own.
 *
 * @param root the folder that absolute paths are resolved against; / except in tests
 * @param variables the environment variables
 * @param osName Java's property os.name
 * @param osArch Java's property os.arch
 * @param hostDevice the folder of the host device that replaces the GPU in Plumb's own tests
 */
record HostEnvironment(Path root, Map<String, String> variables, String osName, String osArch, Optional<Path> hostDevice) {
  /** Returns the environment of this process. */
  static HostEnvironment current() {
    return new HostEnvironment(Path.of("/"), System.getenv(), System.getProperty("os.name"), System.getProperty("os.arch"),
        Optional.ofNullable(System.getProperty(CudaNatives.HOST_DEVICE)).filter(folder -> !folder.isBlank()).map(Path::of));
  }

  /** Resolves an absolute path against the root. */
  Path at(String absolute) {
    return absolute.startsWith("/") ? root.resolve(absolute.replaceFirst("^/+", "")) : Path.of(absolute);
  }

  /** Returns an environment variable; empty if it is not set or blank. */
  Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name)).filter(value -> !value.isBlank());
  }

  /** Returns the platform; empty where JCuda has no natives. */
  Optional<CudaPlatform> platform() {
    return CudaPlatform.of(osName, osArch);
  }
}
