package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.Numerics;
import dev.plumb.study.TrialLog;
import java.io.PrintStream;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/** The numerics of networks that executors of a cluster train, where these differ: each is noted once, and the log records each change. */
final class NumericsChanges implements Consumer<Numerics> {
  private final Consumer<String> onNote;
  private final Set<Numerics> noted = new HashSet<>();
  /** Null without a log. */
  private TrialLog log;

  NumericsChanges(Arguments arguments, PrintStream err) {
    onNote = DeviceChoice.onNote(arguments, err);
  }

  /** Records changes in a log from now on. */
  void recordIn(TrialLog results) {
    log = results;
  }

  @Override
  public void accept(Numerics next) {
    if (noted.add(next)) {
      onNote.accept("some networks are trained under other numerics: " + next.text().replace("\n", "; "));
    }
    if (log != null) {
      log.add(Backends.ofThisVersion(next));
    }
  }
}
