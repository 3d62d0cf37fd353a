package dev.plumb.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** What --help prints. */
final class Help {
  private static final String EXIT_CODES = """
      exit codes: 0 done; 1 a check failed or training diverged; 2 a bad command line, file or specification;
      3 the device asked for cannot be used; 70 a bug in Plumb; 130 stopped by Ctrl-C, to be resumed""";

  private Help() {}

  static void printOverview(List<Command> commands, PrintStream out) {
    out.println("usage: plumb COMMAND [options]");
    out.println();
    out.println("Trains multilayer perceptrons, and proves what it computes.");
    out.println();
    out.println("commands:");
    commands.forEach(command -> out.println("  " + command.name() + "  " + command.summary()));
    out.println();
    out.println("plumb COMMAND --help tells a command's options; plumb --version tells the version.");
    out.println();
    out.println(EXIT_CODES);
  }

  static void printCommand(Command command, PrintStream out) {
    out.println("usage: plumb " + command.name() + " " + command.usage());
    out.println();
    out.println("plumb " + command.name() + " " + command.summary() + ".");
    if (!command.details().isEmpty()) {
      out.println(command.details().stripTrailing());
    }
    out.println();
    out.println("options:");
    printOptions(command.options(), out);
    out.println();
    out.println(EXIT_CODES);
  }

  private static void printOptions(Options options, PrintStream out) {
    List<String> names = new ArrayList<>();
    for (Option option : options.getOptions()) {
      names.add("--" + option.getLongOpt() + (option.hasArg() ? " " + option.getArgName() : ""));
    }
    int width = names.stream().mapToInt(String::length).max().orElse(0);
    int i = 0;
    for (Option option : options.getOptions()) {
      String name = names.get(i++);
      out.println("  " + name + " ".repeat(width - name.length()) + "  " + option.getDescription());
    }
  }
}
