package dev.plumb.backend.cuda.natives;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What the search for CUDA may look at; tests give it a folder of their own for a root.
 *
 * @param root what absolute paths below it are relative to; / but for tests
 * @param variables the environment's variables
 * @param osName Java's property os.name
 * @param osArch Java's property os.arch
 * @param hostDevice the folder of a stand-in for the GPU, where Plumb's own tests give one
 */
record HostEnvironment(Path root, Map<String, String> variables, String osName, String osArch, Optional<Path> hostDevice) {
  static HostEnvironment current() {
    return new HostEnvironment(Path.of("/"), System.getenv(), System.getProperty("os.name"), System.getProperty("os.arch"),
        Optional.ofNullable(System.getProperty(CudaNatives.HOST_DEVICE)).filter(folder -> !folder.isBlank()).map(Path::of));
  }

  /** Where an absolute path leads. */
  Path at(String absolute) {
    return absolute.startsWith("/") ? root.resolve(absolute.replaceFirst("^/+", "")) : Path.of(absolute);
  }

  /** A variable of the environment that holds something. */
  Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name)).filter(value -> !value.isBlank());
  }

  Optional<CudaPlatform> platform() {
    return CudaPlatform.of(osName, osArch);
  }
}
