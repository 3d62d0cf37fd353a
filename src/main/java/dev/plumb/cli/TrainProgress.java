package dev.plumb.cli;

import dev.plumb.train.EpochMetrics;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainingRun;
import java.io.PrintStream;
import java.util.OptionalDouble;

/** The progress of a training on stderr: a bar on a terminal, otherwise at most one line per epoch and per second. */
final class TrainProgress implements TrainingRun.Listener, AutoCloseable {
  private static final long LINE_NANOS = 1_000_000_000L;

  private final StopSignal stop;
  private final PrintStream err;
  private final boolean quiet;
  private final PreparedData prepared;
  private final int firstEpoch;
  private ProgressLine bar;
  private double seconds;
  private long lastLine;
  private boolean anyLine;

  TrainProgress(TrainingRun run, StopSignal stop, boolean quiet, PrintStream err) {
    this.stop = stop;
    this.err = err;
    this.quiet = quiet;
    prepared = run.prepared();
    firstEpoch = run.epochs();
  }

  @Override
  public void started(long totalSteps) {
    bar = ProgressLine.open("train", totalSteps * firstEpoch / prepared.fit().training().epochs(), totalSteps, quiet, err);
  }

  @Override
  public boolean stopRequested() {
    return stop.isRequested();
  }

  @Override
  public void stepsFinished(long steps, long totalSteps) {
    bar.done(steps);
  }

  @Override
  public void epochFinished(EpochMetrics row, boolean best) {
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
    int epochs = prepared.fit().training().epochs();
    double done = row.epoch() - firstEpoch;
    OptionalDouble remaining = bar.remainingSeconds();
    String bound = prepared.fit().patience() > 0 ? "at most " : "";
    return "epoch " + row.epoch() + "/" + epochs + "  " + figures(row) + "  "
        + Math.round(prepared.view().training().rows() * done / Math.max(seconds, 1e-9)) + " samples/s"
        + (remaining.isEmpty() ? "" : "  ETA " + bound + Decimal.duration(remaining.getAsDouble()));
  }

  private String figures(EpochMetrics row) {
    String figures = "loss " + figure(row.trainLoss());
    return Double.isNaN(row.validationLoss()) ? figures
        : figures + "  validation " + figure(row.validationLoss()) + "  " + prepared.metric().key() + " "
            + Decimal.fixed(row.metric(), 4);
  }

  /** Formats a number with about four significant digits. */
  private static String figure(double value) {
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? Decimal.fixed(value, 4) : Decimal.scientific(value);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
