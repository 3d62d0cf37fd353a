package dev.plumb.cli;

import dev.plumb.study.StudyEstimate;
import java.io.PrintStream;
import java.util.Locale;

/** The progress of a grid on stderr: a bar on a terminal, otherwise a line every 10 s. */
final class StudyProgress implements AutoCloseable {
  private static final long LINE_NANOS = 10_000_000_000L;

  /** Units of the bar per estimated second. */
  private static final double UNITS = 1000;

  private final PrintStream err;
  private final boolean quiet;
  private final int networks;
  private final double estimatedSeconds;
  private final ProgressLine bar;
  private final long start = System.nanoTime();
  private long lastLine = start;
  private double workedSeconds;
  private int finished;

  /** @param finished networks that are already trained */
  StudyProgress(int networks, int finished, StudyEstimate estimate, boolean quiet, PrintStream err) {
    this.networks = networks;
    this.finished = finished;
    this.quiet = quiet;
    this.err = err;
    estimatedSeconds = estimate.seconds();
    bar = ProgressLine.open("study", (long) (UNITS * estimatedSeconds), quiet, err);
  }

  /** Adds work; negative when a group must be trained again because its device has failed. */
  void worked(double newSeconds) {
    workedSeconds += newSeconds;
    bar.done((long) (UNITS * workedSeconds));
    long now = System.nanoTime();
    if (!quiet && !bar.isShown() && workedSeconds > 0 && now - lastLine >= LINE_NANOS) {
      lastLine = now;
      // The estimate gives the relative cost of the cells; the speed of this machine comes from the time taken so far.
      double left = (now - start) / 1e9 / workedSeconds * Math.max(0, estimatedSeconds - workedSeconds);
      err.println(String.format(Locale.ROOT, "%,d of %,d networks, ETA %s", finished, networks, Decimal.duration(left)));
    }
  }

  void finished(int newNetworks) {
    finished += newNetworks;
    bar.setMessage(String.format(Locale.ROOT, "%,d of %,d", finished, networks));
  }

  @Override
  public void close() {
    bar.close();
  }
}
