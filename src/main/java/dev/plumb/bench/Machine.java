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
  private static final Path LOAD = Path.of("/proc/loadavg");

  public static Machine here() {
    return new Machine(
        lineOf(PROCESSORS, "model name").map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("unknown processor"),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"));
  }

  /**
   * How many threads wanted a processor over the last minute, this program's among them: more than there are processors, and
   * figures are not to be trusted. NaN where the system does not tell.
   */
  public static double load() {
    return lineOf(LOAD, "").map(line -> Double.valueOf(line.split(" ")[0])).orElse(Double.NaN);
  }

  private static Optional<String> lineOf(Path file, String beginning) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.filter(line -> line.startsWith(beginning)).findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
