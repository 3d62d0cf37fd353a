package dev.plumb.cli;

import dev.plumb.train.EpochMetrics;
import java.io.PrintStream;

/** The progress of a training on stderr: a bar on a terminal, otherwise at most one line per epoch and per second. */
final class TrainProgress implements AutoCloseable {
  private static final long LINE_NANOS = 1_000_000_000L;

  private final PrintStream err;
  private final boolean quiet;
  private final int epochs;
  private final int rows;
  private final String metricName;
  private final ProgressLine bar;
  private final int firstEpoch;
  private double seconds;
  private long lastLine;
  private boolean anyLine;

  /**
   * @param steps the number of steps in all epochs
   * @param epochsDone the number of epochs already trained
   * @param rows the number of rows per epoch
   */
  TrainProgress(long steps, int epochs, int epochsDone, int rows, String metricName, boolean quiet, PrintStream err) {
    this.err = err;
    this.quiet = quiet;
    this.epochs = epochs;
    this.rows = rows;
    this.metricName = metricName;
    firstEpoch = epochsDone;
    bar = ProgressLine.open("train", steps, quiet, err);
  }

  void stepsDone(long steps) {
    bar.done(steps);
  }

  void epochDone(EpochMetrics row) {
    seconds += row.seconds();
    if (bar.isShown()) {
      bar.setMessage(figures(row));
      return;
    }
    long now = System.nanoTime();
    if (!quiet && (!anyLine || now - lastLine >= LINE_NANOS)) {
      err.println(line(row));
      lastLine = now;
      anyLine = true;
    }
  }

  private String line(EpochMetrics row) {
    int done = row.epoch() - firstEpoch;
    double left = seconds / done * (epochs - row.epoch());
    return "epoch " + row.epoch() + "/" + epochs + "  " + figures(row) + "  "
        + Math.round(rows * (double) done / Math.max(seconds, 1e-9)) + " samples/s  ETA " + Decimal.duration(left);
  }

  private String figures(EpochMetrics row) {
    String figures = "loss " + figure(row.trainLoss());
    return Double.isNaN(row.validationLoss()) ? figures
        : figures + "  validation " + figure(row.validationLoss()) + "  " + metricName + " " + Decimal.fixed(row.metric(), 4);
  }

  /** Formats a number with about four significant digits. */
  private static String figure(double value) {
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? Decimal.fixed(value, 4) : Decimal.scientific(value);
  }

  @Override
  public void close() {
    bar.close();
  }
}
