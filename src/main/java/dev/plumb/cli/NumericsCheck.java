package dev.plumb.cli;

import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Compares the numerics that a run or a study recorded with the present ones, before it is resumed. */
final class NumericsCheck {
  private final boolean allowsOther;
  private final boolean quiet;
  private final PrintStream err;

  NumericsCheck(Arguments arguments, PrintStream err) {
    allowsOther = arguments.has(Flags.ALLOW_OTHER_NUMERICS);
    quiet = arguments.has(Flags.QUIET);
    this.err = err;
  }

  /** Refuses the option where nothing is resumed. */
  static void requireResume(Arguments arguments) {
    if (arguments.has(Flags.ALLOW_OTHER_NUMERICS) && !arguments.has(Flags.RESUME)) {
      throw new InvalidInputException("--" + Flags.ALLOW_OTHER_NUMERICS.getLongOpt() + ": applies only with --"
          + Flags.RESUME.getLongOpt() + "; omit the option");
    }
  }

  /**
   * Checks that a run continues bit for bit.
   *
   * @param name of the run, for messages
   * @param recorded under which it was trained so far, in order; empty where the version of Plumb that began it recorded none
   * @return what is to be recorded now: the same, with the present numerics at its end
   * @throws InvalidInputException when the last ones differ from the present ones, unless the user allows that
   */
  List<Numerics> resumed(String name, List<Numerics> recorded, Numerics now) {
    List<Numerics> all = new ArrayList<>(recorded);
    if (recorded.isEmpty()) {
      note(name + " was started by a version of Plumb that did not record its numerics; the result may not be bit-identical");
      all.add(now);
      return all;
    }
    List<String> differences = recorded.get(recorded.size() - 1).differences(now);
    if (differences.isEmpty()) {
      return all;
    }
    String differing = String.join("; ", differences);
    if (!allowsOther) {
      throw new InvalidInputException(name + ": cannot be resumed here bit for bit: " + differing
          + "; resume it in the original environment or add --" + Flags.ALLOW_OTHER_NUMERICS.getLongOpt());
    }
    note(name + " is resumed under other numerics (recorded); the result is not bit-identical: " + differing);
    all.add(now);
    return all;
  }

  private void note(String text) {
    if (!quiet) {
      err.println(TerminalText.sanitize("note: " + text));
    }
  }
}
