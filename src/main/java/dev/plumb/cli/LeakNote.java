package dev.plumb.cli;

import java.io.PrintStream;
import java.util.List;

/** The note about features that determine a target exactly. */
final class LeakNote {
  private LeakNote() {}

  static void print(List<String> features, PrintStream err) {
    features.forEach(feature -> err.println(TerminalText.sanitize("note: column \"" + feature + "\" determines the target"
        + " exactly; if it would not be known when predicting, leave it out with --exclude")));
  }
}
