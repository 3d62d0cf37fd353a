package dev.plumb.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar, shown only on a terminal and cleared when closed. */
final class ProgressLine implements AutoCloseable {
  /** Set by scripts/plumb: whether stderr is a terminal, which Java cannot detect. */
  static final String TERMINAL_PROPERTY = "plumb.stderr.terminal";

  /** One column less than a standard terminal, so that the line does not wrap. */
  private static final int WIDTH = 79;

  private final PrintStream err;
  private final ProgressBar bar;

  private ProgressLine(PrintStream err, ProgressBar bar) {
    this.err = err;
    this.bar = bar;
  }

  static ProgressLine open(String task, long total, boolean quiet, PrintStream err) {
    boolean shown = !quiet && Boolean.getBoolean(TERMINAL_PROPERTY);
    return new ProgressLine(err, shown ? bar(task, total, err) : null);
  }

  private static ProgressBar bar(String task, long total, PrintStream err) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(100)
        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
        .clearDisplayOnFinish()
        .build();
  }

  boolean isShown() {
    return bar != null;
  }

  void done(long units) {
    if (bar != null) {
      bar.stepTo(units);
    }
  }

  /** Sets the text to the right of the bar. */
  void setMessage(String message) {
    if (bar != null) {
      bar.setExtraMessage(message);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      err.flush();
    }
  }
}
