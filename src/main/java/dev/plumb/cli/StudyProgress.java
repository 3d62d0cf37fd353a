package dev.plumb.cli;

import dev.plumb.study.StudyEstimate;
import java.io.PrintStream;
import java.util.Locale;
import java.util.OptionalDouble;

/** The progress of a grid on stderr: a bar on a terminal, otherwise a line every 10 s. */
final class StudyProgress implements AutoCloseable {
  private static final long LINE_NANOS = 10_000_000_000L;

  /** Units of the bar per estimated second. */
  private static final double UNITS = 1000;

  private final PrintStream err;
  private final boolean quiet;
  private final int networks;
  private final ProgressLine bar;
  private long lastLine = System.nanoTime();
  private double workedSeconds;
  private int finished;

  /** @param finished networks that are already trained */
  StudyProgress(int networks, int finished, StudyEstimate estimate, boolean quiet, PrintStream err) {
    this.networks = networks;
    this.finished = finished;
    this.quiet = quiet;
    this.err = err;
    // The estimate gives the relative cost of the cells; the speed of this machine comes from the recent progress.
    bar = ProgressLine.open("study", 0, (long) (UNITS * estimate.seconds()), quiet, err);
  }

  /** Adds work; negative when a group must be trained again because its device has failed. */
  void worked(double newSeconds) {
    workedSeconds += newSeconds;
    bar.done((long) (UNITS * workedSeconds));
    long now = System.nanoTime();
    if (!quiet && !bar.isShown() && workedSeconds > 0 && now - lastLine >= LINE_NANOS) {
      lastLine = now;
      OptionalDouble left = bar.remainingSeconds();
      err.println(String.format(Locale.ROOT, "%,d of %,d networks%s", finished, networks,
          left.isEmpty() ? "" : ", ETA " + Decimal.duration(left.getAsDouble())));
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
