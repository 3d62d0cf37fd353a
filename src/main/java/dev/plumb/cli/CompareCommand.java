package dev.plumb.cli;

import dev.plumb.Version;
import dev.plumb.model.InvalidInputException;
import dev.plumb.report.ComparisonReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.RunComparison;
import dev.plumb.study.RunOutput;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code plumb compare}: compares the configurations and the scores of runs. */
final class CompareCommand implements Command {
  @Override
  public String name() {
    return "compare";
  }

  @Override
  public String summary() {
    return "Compare the configurations and the scores of runs";
  }

  @Override
  public String usage() {
    return "RUN RUN... [options]";
  }

  @Override
  public String details() {
    return """
        RUN is a run folder of plumb train; 2 to 12 can be compared, all of which predict classes or all
        of which predict numbers.

        Prints the configuration keys that differ, and the scores of each run: those of the validation and
        test rows with Wilson's 95 % interval of the accuracy, and the estimate by folds with Student's
        interval. Warns if the scores are not comparable, because data or validation rows differ. --report
        also draws the curves of all runs over each other.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb compare runs/iris-1 runs/iris-2
        plumb compare runs/iris-* --report iris.html --json iris.json
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.JSON, Flags.REPORT);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    List<String> operands = arguments.operands();
    if (operands.size() < 2) {
      throw new InvalidInputException("missing argument RUN; expected two or more run folders");
    }
    if (operands.stream().anyMatch(String::isBlank)) {
      throw new InvalidInputException("empty argument where a run folder is expected");
    }
    List<Path> folders = operands.stream().map(LocaleEncoding::path).toList();
    new CommandFiles(arguments).writes(Flags.JSON, Flags.REPORT).check();
    RunComparison comparison = RunComparison.read(folders);
    RunTables.print(comparison, out);
    out.flush();
    arguments.path(Flags.JSON).ifPresent(file -> AtomicFile.write(file, stream -> RunOutput.write(comparison, stream)));
    arguments.path(Flags.REPORT).ifPresent(file -> AtomicFile.write(file,
        stream -> new ComparisonReport(comparison, Version.CURRENT).write(stream)));
    return ExitCode.DONE;
  }
}
