package dev.plumb.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * The machine of a benchmark.
 *
 * @param processor name of the processor, from /proc/cpuinfo where there is one
 * @param processors number of processors available to Java
 * @param java the JVM and its version
 * @param system operating system and architecture
 */
public record Machine(String processor, int processors, String java, String system) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final String VECTOR_API = "jdk.incubator.vector";

  /** Returns the machine that this JVM runs on. */
  public static Machine here() {
    return new Machine(
        firstLine(CPU_INFO, "model name").map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("unknown processor"),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version")
            + (ModuleLayer.boot().findModule(VECTOR_API).isPresent() ? " with the Vector API" : ""),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"));
  }

  /** Returns the first line that starts with the prefix; empty if there is none, or the file cannot be read. */
  private static Optional<String> firstLine(Path file, String prefix) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.filter(line -> line.startsWith(prefix)).findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The load that other programs, and other virtual machines on the same hardware, put on the processors since this object was
   * created. Measurements are reliable only if it is near 0. Linux only (proc(5), /proc/stat).
   */
  public static final class BackgroundLoad {
    private static final Path CPU_TIMES = Path.of("/proc/stat");

    /** The fields user, nice, system, idle, iowait, irq, softirq, steal, in ticks; guest times are part of the first two. */
    private static final int FIELDS = 8;
    private static final int IDLE = 3;
    private static final int IO_WAIT = 4;

    private final long[] startTicks = ticks();
    private final Duration startProcessTime = processTime();
    private final long start = System.nanoTime();

    /** Returns the average number of busy processors; empty if the system does not report it, or too little time has passed. */
    public OptionalDouble busyProcessors() {
      long[] ticks = ticks();
      double seconds = (System.nanoTime() - start) / 1e9;
      if (ticks.length < FIELDS || startTicks.length < FIELDS) {
        return OptionalDouble.empty();
      }
      double total = 0;
      double idle = 0;
      for (int i = 0; i < FIELDS; i++) {
        double passed = ticks[i] - startTicks[i];
        total += passed;
        idle += i == IDLE || i == IO_WAIT ? passed : 0;
      }
      if (total <= 0) {
        return OptionalDouble.empty();
      }
      double processors = ticks[ticks.length - 1];
      double busy = processors * (1 - idle / total) - processTime().minus(startProcessTime).toNanos() / 1e9 / seconds;
      return OptionalDouble.of(Math.max(0, busy));
    }

    /** Returns the fields, summed over all processors, followed by the number of processors; empty if they cannot be read. */
    private static long[] ticks() {
      return firstLine(CPU_TIMES, "cpu ")
          .map(line -> Arrays.stream(line.substring("cpu ".length()).strip().split(" +")).mapToLong(Long::parseLong).toArray())
          .filter(times -> times.length >= FIELDS)
          .map(times -> {
            long[] fieldsAndCount = Arrays.copyOf(times, FIELDS + 1);
            fieldsAndCount[FIELDS] = processorCount();
            return fieldsAndCount;
          })
          .orElse(new long[0]);
    }

    private static long processorCount() {
      int count = 0;
      while (firstLine(CPU_TIMES, "cpu" + count + " ").isPresent()) {
        count++;
      }
      return count;
    }

    private static Duration processTime() {
      return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }
  }
}
