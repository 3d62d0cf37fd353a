package dev.plumb.cli;

import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;

/** Compares the recorded numerics of a run or study with the current ones before it is resumed. */
final class NumericsCheck {
  private final boolean otherAllowed;
  private final boolean quiet;
  private final PrintStream err;

  NumericsCheck(Arguments arguments, PrintStream err) {
    otherAllowed = arguments.has(Flags.ALLOW_OTHER_NUMERICS);
    quiet = arguments.has(Flags.QUIET);
    this.err = err;
  }

  /** Refuses --allow-other-numerics without one of the options that it needs. */
  static void require(Arguments arguments, Option... needed) {
    if (arguments.has(Flags.ALLOW_OTHER_NUMERICS) && Stream.of(needed).noneMatch(arguments::has)) {
      throw new InvalidInputException("--" + Flags.ALLOW_OTHER_NUMERICS.getLongOpt() + ": applies only with "
          + Stream.of(needed).map(option -> "--" + option.getLongOpt()).collect(Collectors.joining(" or ")) + "; omit the option");
    }
  }

  /**
   * Checks that the result of a resumed run is bit-identical.
   *
   * @param name the run's name in messages
   * @param recorded the numerics so far, in order; empty if the version of Plumb that started the run recorded none
   * @return the numerics to record: {@code recorded}, followed by the current ones if they differ
   * @throws InvalidInputException if the last recorded numerics differ from the current ones, unless the user allows that
   */
  List<Numerics> resumed(String name, List<Numerics> recorded, Numerics current) {
    List<Numerics> updated = new ArrayList<>(recorded);
    if (recorded.isEmpty()) {
      note(name + " was started by a version of Plumb that did not record its numerics; the result may not be bit-identical");
      updated.add(current);
      return updated;
    }
    List<String> differences = recorded.get(recorded.size() - 1).differences(current);
    if (differences.isEmpty()) {
      return updated;
    }
    String differing = String.join("; ", differences);
    if (!otherAllowed) {
      throw new InvalidInputException(name + ": cannot be resumed here bit for bit: " + differing
          + "; resume it in the original environment or add --" + Flags.ALLOW_OTHER_NUMERICS.getLongOpt());
    }
    note(name + " is resumed under other numerics (recorded); the result is not bit-identical: " + differing);
    updated.add(current);
    return updated;
  }

  private void note(String text) {
    if (!quiet) {
      err.println(TerminalText.sanitize("note: " + text));
    }
  }
}
