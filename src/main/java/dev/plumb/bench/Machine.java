package dev.plumb.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What was measured on.
 *
 * @param processor its name, where the system tells
 * @param processors that Java may use
 * @param java the JVM and its version
 */
public record Machine(String processor, int processors, String java, String system) {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final String VECTOR_API = "jdk.incubator.vector";

  public static Machine here() {
    return new Machine(
        firstLine(PROCESSORS, "model name").map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("unknown processor"),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version")
            + (ModuleLayer.boot().findModule(VECTOR_API).isPresent() ? " with the Vector API" : ""),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"));
  }

  /** The first line that begins so; empty where there is none, or no such file. */
  static Optional<String> firstLine(Path file, String beginning) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.filter(line -> line.startsWith(beginning)).findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
