package dev.plumb.cli;

import dev.plumb.study.GridEstimate;
import java.io.PrintStream;
import java.util.Locale;

/** How a grid goes, on stderr: a bar on a terminal, else a line now and then. */
final class GridProgress implements AutoCloseable {
  private static final long LINE_NANOS = 10_000_000_000L;

  /** Of the bar in a second of the estimate. */
  private static final double UNITS = 1000;

  private final PrintStream err;
  private final boolean quiet;
  private final int networks;
  private final double seconds;
  private final ProgressLine bar;
  private final long start = System.nanoTime();
  private long lastLine = start;
  private double worked;
  private int finished;

  /** @param finished before this */
  GridProgress(int networks, int finished, GridEstimate estimate, boolean quiet, PrintStream err) {
    this.networks = networks;
    this.finished = finished;
    this.quiet = quiet;
    this.err = err;
    seconds = estimate.seconds();
    bar = ProgressLine.open("study", (long) (UNITS * seconds), quiet, err);
  }

  void worked(double more) {
    worked += more;
    bar.done((long) (UNITS * worked));
    long now = System.nanoTime();
    if (!quiet && !bar.isShown() && now - lastLine >= LINE_NANOS) {
      lastLine = now;
      // The estimate knows what cells cost beside each other; how fast the machine is shows only now.
      double left = (now - start) / 1e9 / worked * Math.max(0, seconds - worked);
      err.println(String.format(Locale.ROOT, "%,d of %,d networks, ETA %s", finished, networks, Decimal.duration(left)));
    }
  }

  void finished(int more) {
    finished += more;
    bar.say(String.format(Locale.ROOT, "%,d of %,d", finished, networks));
  }

  @Override
  public void close() {
    bar.close();
  }
}
