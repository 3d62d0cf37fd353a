package dev.plumb.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The pages that --help prints. */
final class Help {
  private static final int WIDTH = 100;

  private static final String EXIT_CODES = """
      output and exit codes:
        Results go to stdout, messages and progress to stderr.
        0    success
        1    a check failed or training diverged
        2    invalid command line, file or specification
        3    the requested device cannot be used
        70   bug in Plumb
        130  stopped by Ctrl-C or SIGTERM; the run can be resumed""";

  private Help() {}

  static void printOverview(List<Command> commands, PrintStream out) {
    out.println("usage: plumb COMMAND [options]");
    out.println();
    out.println("Train multilayer perceptrons on a GPU or a CPU, and verify the results.");
    out.println();
    out.println("commands:");
    int width = commands.stream().mapToInt(command -> command.name().length()).max().orElse(0);
    commands.forEach(command -> printEntry(command.name(), width, command.summary() + ".", out));
    out.println();
    out.println("\"plumb COMMAND --help\" lists the options of a command, \"plumb --version\" prints the version.");
    out.println();
    out.println(EXIT_CODES);
  }

  static void printCommand(Command command, PrintStream out) {
    String start = "usage: ";
    for (String form : command.usage().split("\n")) {
      out.println(start + "plumb " + command.name() + " " + form);
      start = " ".repeat(start.length());
    }
    out.println();
    out.println(command.summary() + ".");
    if (!command.details().isEmpty()) {
      out.println();
      out.println(command.details().stripTrailing());
    }
    out.println();
    out.println("options:");
    printOptions(command.options(), out);
    out.println();
    if (!command.examples().isEmpty()) {
      out.println("examples:");
      command.examples().lines().forEach(line -> out.println("  " + line));
      out.println();
    }
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
      printEntry(names.get(i++), width, option.getDescription(), out);
    }
  }

  /** Prints a name and its description, wrapped, in two columns. */
  private static void printEntry(String name, int nameWidth, String description, PrintStream out) {
    String start = "  " + name + " ".repeat(nameWidth - name.length()) + "  ";
    for (String line : WordWrap.lines(description, WIDTH - start.length())) {
      out.println(start + line);
      start = " ".repeat(start.length());
    }
  }
}
