package dev.plumb.cli;

import dev.plumb.study.FoldSelection;
import java.io.PrintStream;

/** The progress of a cross-validation on stderr. Ctrl-C stops it. */
final class CvProgress implements FoldSelection.Listener, AutoCloseable {
  private final String task;
  private final boolean quiet;
  private final PrintStream err;
  private StopSignal stop;
  private ProgressLine line;
  private long epochs;

  CvProgress(String task, boolean quiet, PrintStream err) {
    this.task = task;
    this.quiet = quiet;
    this.err = err;
  }

  @Override
  public void started(long totalEpochs) {
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
  }

  @Override
  public void close() {
    if (stop != null) {
      line.close();
      stop.close();
    }
  }
}
