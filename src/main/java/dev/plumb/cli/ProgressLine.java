package dev.plumb.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.OptionalDouble;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress with an estimate of the remaining time; its bar is shown only on a terminal and cleared when closed. */
final class ProgressLine implements AutoCloseable {
  /** Set by scripts/plumb: whether stderr is a terminal, which Java cannot detect. */
  static final String TERMINAL_PROPERTY = "plumb.stderr.terminal";

  /** One column less than a standard terminal, so that the line does not wrap. */
  private static final int WIDTH = 79;

  private final PrintStream err;
  private final RemainingTime remaining;
  private final ProgressBar bar;

  private ProgressLine(PrintStream err, RemainingTime remaining, ProgressBar bar) {
    this.err = err;
    this.remaining = remaining;
    this.bar = bar;
  }

  /**
   * Shows a new bar.
   *
   * @param done units that are done already
   * @param total units, those done already included
   */
  static ProgressLine open(String task, long done, long total, boolean quiet, PrintStream err) {
    boolean shown = !quiet && Boolean.getBoolean(TERMINAL_PROPERTY);
    RemainingTime remaining = new RemainingTime(done, total, System::nanoTime);
    return new ProgressLine(err, remaining, shown ? bar(task, done, total, remaining, err) : null);
  }

  private static ProgressBar bar(String task, long done, long total, RemainingTime remaining, PrintStream err) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total)
        .startsFrom(done, Duration.ZERO)
        .setEtaFunction(state -> remaining.seconds().stream().mapToObj(seconds -> Duration.ofMillis((long) (1000 * seconds)))
            .findFirst())
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
    remaining.done(units);
    if (bar != null) {
      bar.stepTo(units);
    }
  }

  /** Returns the remaining time in seconds; empty while it is not known. */
  OptionalDouble remainingSeconds() {
    return remaining.seconds();
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
