package dev.plumb.cli;

import java.io.PrintStream;
import org.apache.commons.cli.Options;

/** One word behind plumb. */
interface Command {
  String name();

  /** What it does, in one line. */
  String summary();

  /** What may follow its name: {@code [SPEC.json] [options]}. */
  String usage();

  /** What its help says besides the options, in lines of at most 100 characters; may be empty. */
  String details();

  Options options();

  /**
   * Does it.
   *
   * @param out for results alone
   * @param err for messages and progress
   * @return the exit code
   */
  int run(Arguments arguments, PrintStream out, PrintStream err);
}
