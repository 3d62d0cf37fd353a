package dev.plumb.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on a terminal, and nothing anywhere else; it is gone when closed. */
final class ProgressLine implements AutoCloseable {
  /** Set by scripts/plumb, which can tell whether stderr is a terminal; Java alone cannot. */
  static final String TERMINAL_PROPERTY = "plumb.stderr.terminal";

  /** One column less than the narrowest terminal people use, so that the line never wraps. */
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

  /** Whether anyone sees it. */
  boolean isShown() {
    return bar != null;
  }

  void done(long units) {
    if (bar != null) {
      bar.stepTo(units);
    }
  }

  /** What stands behind the bar. */
  void say(String message) {
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
