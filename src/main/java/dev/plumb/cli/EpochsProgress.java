package dev.plumb.cli;

import dev.plumb.study.FoldSelection;
import java.io.PrintStream;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The progress of several trainings on stderr, by epochs: a bar on a terminal, otherwise a line from time to time. Ctrl-C stops
 * the trainings.
 */
final class EpochsProgress implements FoldSelection.Listener, AutoCloseable {
  private static final long LINE_NANOS = 30_000_000_000L;

  private final String task;
  private final boolean quiet;
  private final PrintStream err;
  private final long lineNanos;
  private StopSignal stop;
  private ProgressLine line;
  private long total;
  private long epochs;
  private long lastLine;

  EpochsProgress(String task, boolean quiet, PrintStream err) {
    this(task, quiet, err, LINE_NANOS);
  }

  /** @param lineNanos minimum time between two lines */
  EpochsProgress(String task, boolean quiet, PrintStream err, long lineNanos) {
    this.task = task;
    this.quiet = quiet;
    this.err = err;
    this.lineNanos = lineNanos;
  }

  @Override
  public void started(long totalEpochs) {
    total = totalEpochs;
    lastLine = System.nanoTime();
    stop = StopSignal.open("", quiet ? new PrintStream(PrintStream.nullOutputStream()) : err);
    line = ProgressLine.open(task, 0, totalEpochs, quiet, err);
  }

  @Override
  public boolean stopRequested() {
    return stop.isRequested();
  }

  @Override
  public void trained(long trained) {
    epochs += trained;
    line.done(epochs);
    if (!quiet && !line.isShown() && System.nanoTime() - lastLine >= lineNanos) {
      lastLine = System.nanoTime();
      OptionalDouble left = line.remainingSeconds();
      err.println(String.format(Locale.ROOT, "%s: %,d of %,d epochs%s", task, epochs, total,
          left.isEmpty() ? "" : ", ETA " + Decimal.duration(left.getAsDouble())));
    }
  }

  @Override
  public void close() {
    if (stop != null) {
      line.close();
      stop.close();
    }
  }
}
