package dev.plumb.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * How many processors were kept busy by other programs, and by other machines on the same hardware where this one is virtual, since
 * this was made. Whoever wants to trust a figure wants it near 0. Linux alone tells (proc(5), /proc/stat).
 */
public final class Others {
  private static final Path TIMES = Path.of("/proc/stat");

  /** user, nice, system, idle, iowait, irq, softirq, steal, of all processors together, in ticks; guests are in the first two. */
  private static final int TIMES_KEPT = 8;
  private static final int IDLE = 3;
  private static final int WAITING = 4;

  private final long[] ticks = ticks();
  private final Duration own = own();
  private final long start = System.nanoTime();

  /** Processors, on average; empty where the system does not tell, or too little time has passed. */
  public OptionalDouble busy() {
    long[] now = ticks();
    double seconds = (System.nanoTime() - start) / 1e9;
    if (now.length < TIMES_KEPT || ticks.length < TIMES_KEPT) {
      return OptionalDouble.empty();
    }
    double all = 0;
    double idle = 0;
    for (int i = 0; i < TIMES_KEPT; i++) {
      double passed = now[i] - ticks[i];
      all += passed;
      idle += i == IDLE || i == WAITING ? passed : 0;
    }
    if (all <= 0) {
      return OptionalDouble.empty();
    }
    double processors = now[now.length - 1];
    double busy = processors * (1 - idle / all) - own().minus(own).toNanos() / 1e9 / seconds;
    return OptionalDouble.of(Math.max(0, busy));
  }

  /** The times, and behind them the number of processors that they are of; empty where they are not told. */
  private static long[] ticks() {
    return Machine.firstLine(TIMES, "cpu ")
        .map(line -> Arrays.stream(line.substring("cpu ".length()).strip().split(" +")).mapToLong(Long::parseLong).toArray())
        .filter(times -> times.length >= TIMES_KEPT)
        .map(times -> {
          long[] kept = Arrays.copyOf(times, TIMES_KEPT + 1);
          kept[TIMES_KEPT] = processors();
          return kept;
        })
        .orElse(new long[0]);
  }

  private static long processors() {
    int count = 0;
    while (Machine.firstLine(TIMES, "cpu" + count + " ").isPresent()) {
      count++;
    }
    return count;
  }

  private static Duration own() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }
}
