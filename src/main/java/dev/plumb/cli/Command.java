package dev.plumb.cli;

import java.io.PrintStream;
import org.apache.commons.cli.Options;

/** A {@code plumb} subcommand. */
interface Command {
  String name();

  /** Returns the purpose in one line: an imperative without a period at its end. */
  String summary();

  /** Returns the arguments after the command's name, one line per form: {@code [SPEC.json] [options]}. */
  String usage();

  /** Returns the description below the summary, in lines of at most 100 characters; may be empty. */
  String details();

  /** Returns example command lines, one per line; may be empty. */
  default String examples() {
    return "";
  }

  Options options();

  /**
   * Runs the command.
   *
   * @param out takes results and nothing else
   * @param err takes messages and progress
   * @return the exit code
   */
  int run(Arguments arguments, PrintStream out, PrintStream err);
}
