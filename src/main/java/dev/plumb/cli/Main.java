package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.check.CheckFailedException;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import dev.plumb.train.TrainingInterruptedException;
import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.util.List;
import java.util.Optional;

/** The command line: {@code plumb COMMAND [options]}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args, StandardStreams.out(), StandardStreams.err()));
  }

  /**
   * Runs one command.
   *
   * @param out takes results and nothing else
   * @param err takes messages and progress
   * @return the exit code
   */
  public static int run(String[] args, PrintStream out, PrintStream err) {
    return run(Backends::open, args, out, err);
  }

  /**
   * Runs one command in a process that can use a cluster, with the standard streams.
   *
   * @return the exit code
   */
  public static int run(Cluster cluster, String[] args) {
    return run(new DeviceChoice(Backends::open, Optional.of(cluster)), args, StandardStreams.out(), StandardStreams.err());
  }

  static int run(DeviceChoice.Opener devices, String[] args, PrintStream out, PrintStream err) {
    return run(new DeviceChoice(devices), args, out, err);
  }

  static int run(DeviceChoice choice, String[] args, PrintStream out, PrintStream err) {
    List<Command> commands = List.of(new TrainCommand(choice), new EvaluateCommand(choice), new PredictCommand(choice),
        new ScoreCommand(choice), new ImportanceCommand(choice), new CvCommand(choice), new TuneCommand(choice), new RunsCommand(),
        new CompareCommand(), new ExportCommand(), new StudyCommand(choice), new CheckCommand(choice), new BenchCommand(choice),
        new DevicesCommand());
    String command = "plumb";
    int code;
    try {
      Optional<Command> named = args.length == 0 ? Optional.empty() : find(commands, args[0]);
      command = named.map(found -> "plumb " + found.name()).orElse(command);
      code = named.isPresent()
          ? run(named.get(), List.of(args).subList(1, args.length), out, err)
          : runWithoutCommand(commands, List.of(args), out, err);
    } catch (InvalidInputException e) {
      code = complain(command, e.getMessage(), ExitCode.BAD_INPUT, err);
    } catch (InvalidPathException e) {
      code = complain(command, LocaleEncoding.invalid(e).getMessage(), ExitCode.BAD_INPUT, err);
    } catch (CheckFailedException e) {
      code = complain(command, e.getMessage(), ExitCode.FAILED, err);
    } catch (DeviceUnavailableException e) {
      code = complain(command, e.getMessage(), ExitCode.DEVICE_UNAVAILABLE, err);
    } catch (DeviceFailedException e) {
      code = complain(command, e.getMessage(), ExitCode.BUG, err);
    } catch (TrainingInterruptedException e) {
      code = complain(command, e.getMessage(), ExitCode.STOPPED, err);
    } catch (OutOfMemoryError e) {
      code = complain(command, "out of memory (" + e.getMessage()
          + "); use less data or a smaller network, or give Java more memory: PLUMB_JAVA_OPTS=-Xmx8g", ExitCode.BAD_INPUT, err);
    } catch (RuntimeException | Error e) {
      code = complain(command, "internal error; please report this bug with the stack trace below", ExitCode.BUG, err);
      e.printStackTrace(err);
    }
    if (out.checkError() && !(out instanceof StandardOutput standard && standard.isClosedByReader())) {
      code = complain(command, "standard output cannot be written; the output is incomplete", Math.max(code, ExitCode.BAD_INPUT),
          err);
    }
    err.flush();
    return code;
  }

  private static int run(Command command, List<String> rest, PrintStream out, PrintStream err) {
    Arguments arguments = Arguments.parse(command.options(), rest);
    if (arguments.has(Flags.HELP)) {
      Help.printCommand(command, out);
      return ExitCode.DONE;
    }
    if (arguments.has(Flags.VERSION)) {
      printVersion(out);
      return ExitCode.DONE;
    }
    LocaleEncoding.requireDecoded(rest);
    return command.run(arguments, out, err);
  }

  private static int runWithoutCommand(List<Command> commands, List<String> args, PrintStream out, PrintStream err) {
    if (args.isEmpty()) {
      Help.printOverview(commands, err);
      return ExitCode.BAD_INPUT;
    }
    if (!args.get(0).startsWith("-")) {
      List<String> known = commands.stream().map(Command::name).toList();
      throw new InvalidInputException("unknown command \"" + args.get(0) + "\"" + Spelling.didYouMean(args.get(0), known)
          + "; one of " + String.join(", ", known));
    }
    Arguments arguments = Arguments.parse(Flags.topLevel(), args);
    arguments.requireNoOperand();
    if (arguments.has(Flags.VERSION)) {
      printVersion(out);
    } else {
      Help.printOverview(commands, out);
    }
    return ExitCode.DONE;
  }

  private static void printVersion(PrintStream out) {
    out.println("plumb " + Version.CURRENT + " (Java " + System.getProperty("java.version") + ", "
        + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ")");
  }

  private static Optional<Command> find(List<Command> commands, String name) {
    return commands.stream().filter(command -> command.name().equals(name)).findFirst();
  }

  private static int complain(String command, String message, int code, PrintStream err) {
    err.println(TerminalText.sanitize(command + ": " + message));
    return code;
  }
}
