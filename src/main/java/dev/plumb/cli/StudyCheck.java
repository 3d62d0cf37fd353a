package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.check.CheckLog;
import dev.plumb.check.CheckMode;
import dev.plumb.check.CheckedBackend;
import dev.plumb.model.InvalidInputException;
import java.io.PrintStream;
import java.util.Optional;

/** The --check-every option: a study's device held against the reference while it trains. */
final class StudyCheck {
  private final int every;
  private final boolean quiet;
  private final CheckLog log;
  private final PrintStream err;

  private StudyCheck(int every, CheckMode mode, boolean quiet, PrintStream err) {
    this.every = every;
    this.quiet = quiet;
    this.err = err;
    log = new CheckLog(mode, this::say);
  }

  /** @return empty when no check is asked for */
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

  /** @throws InvalidInputException when the device is the reference itself */
  Backend around(Backends.Selection device) {
    if (DeviceChoice.isReference(device)) {
      throw new InvalidInputException("--" + Flags.CHECK_EVERY.getLongOpt()
          + ": the device is the reference itself, so there is nothing to compare; omit the option or choose another"
          + " device");
    }
    // Closed with the device's selection; the reference holds nothing.
    return new CheckedBackend(device.backend(), Backends.reference(), every, log);
  }

  /** The last word on stderr; nothing where all agree and nobody wants to hear it. */
  void printEnd() {
    if (quiet && agree()) {
      return;
    }
    if (log.mode() == CheckMode.HISTOGRAM) {
      CrossCheckReport.printHistogram(log.decades(), err);
    }
    say(log.summary());
  }

  boolean agree() {
    return log.wrong() == 0;
  }

  private void say(String line) {
    err.println(TerminalText.sanitize("plumb study: " + line));
  }
}
