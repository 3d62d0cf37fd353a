package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.check.CheckLog;
import dev.plumb.check.CheckMode;
import dev.plumb.check.CheckedBackend;
import dev.plumb.model.InvalidInputException;
import java.io.PrintStream;
import java.util.Optional;

/** The --check-every option: compares a study's device with the reference during training. */
final class StudyCheck {
  private final int every;
  private final boolean quiet;
  private final CheckLog log;
  private final PrintStream err;

  private StudyCheck(int every, CheckMode mode, boolean quiet, PrintStream err) {
    this.every = every;
    this.quiet = quiet;
    this.err = err;
    log = new CheckLog(mode, this::print);
  }

  /** @return empty if no check is requested */
  static Optional<StudyCheck> of(Arguments arguments, PrintStream err) {
    if (!arguments.has(Flags.CHECK_EVERY)) {
      if (arguments.has(Flags.CHECK_MODE)) {
        throw new InvalidInputException("--" + Flags.CHECK_MODE.getLongOpt() + " requires --" + Flags.CHECK_EVERY.getLongOpt());
      }
      return Optional.empty();
    }
    int every = arguments.integer(Flags.CHECK_EVERY, 1, 1);
    CheckMode mode = arguments.parsed(Flags.CHECK_MODE, CheckMode.FAIL.key(), CheckMode::of);
    return Optional.of(new StudyCheck(every, mode, arguments.has(Flags.QUIET), err));
  }

  /**
   * Returns a backend that trains on the device and checks it.
   *
   * @throws InvalidInputException if the device is the reference itself
   */
  Backend checked(Backends.Selection device) {
    if (DeviceChoice.isReference(device)) {
      throw new InvalidInputException("--" + Flags.CHECK_EVERY.getLongOpt()
          + ": the device is the reference itself, so there is nothing to compare; omit the option or choose another"
          + " device");
    }
    // Not closed here: the device is closed with its selection, and the reference owns no resources.
    return new CheckedBackend(device.backend(), Backends.reference(), every, log);
  }

  /** Prints the summary on stderr; with --quiet, only if there was a disagreement. */
  void printSummary() {
    if (quiet && passed()) {
      return;
    }
    if (log.mode() == CheckMode.HISTOGRAM) {
      CrossCheckReport.printHistogram(log.errors(), err);
    }
    print(log.summary());
  }

  boolean passed() {
    return log.wrong() == 0;
  }

  private void print(String line) {
    err.println(TerminalText.sanitize("plumb study: " + line));
  }
}
