package dev.plumb.cli;

import dev.plumb.model.Excerpt;
import dev.plumb.model.NamedEnum;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.RunList;
import dev.plumb.study.RunOutput;
import dev.plumb.study.RunScore;
import dev.plumb.train.DataFile;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb runs}: lists the runs of {@code plumb train}. */
final class RunsCommand implements Command {
  private static final Path DEFAULT_FOLDER = Path.of(TrainRequest.DEFAULT_RUNS);
  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");
  /** The maximum length of a network's shape. */
  private static final int MAX_NETWORK = 40;

  @Override
  public String name() {
    return "runs";
  }

  @Override
  public String summary() {
    return "List the runs of plumb train";
  }

  @Override
  public String usage() {
    return "[FOLDER] [options]";
  }

  @Override
  public String details() {
    return """
        FOLDER contains run folders (default: runs). Other files and folders in it are ignored.

        Prints one line per run: the time of its last change, the data, the network, the finished epochs,
        the state, the score with a 95 % interval, and the training time. The state is finished, stopped
        early, diverged, running, interrupted (plumb train --resume continues the run) or damaged (its
        files cannot be read). The score is the accuracy or R2 of the validation rows, or the estimate by
        folds if there are none.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb runs
        plumb runs experiments --sort score
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.SORT, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Optional<Path> operand = arguments.operandPath();
    Path folder = operand.orElse(DEFAULT_FOLDER);
    RunList.Sort sort = arguments.parsed(Flags.SORT, "date", word -> NamedEnum.parse(RunList.Sort.class, "order", word));
    new CommandFiles(arguments).writes(Flags.JSON).check();
    RunList list = operand.isEmpty() && !Files.exists(folder) ? new RunList(List.of()) : RunList.read(folder, sort);
    if (list.entries().isEmpty()) {
      out.println(TerminalText.sanitize("no runs in " + folder + "; plumb train creates a run folder for each training"));
    } else {
      print(list, out);
    }
    out.flush();
    if (!arguments.has(Flags.QUIET)) {
      list.entries().forEach(entry -> entry.problem().ifPresent(
          problem -> err.println(TerminalText.sanitize("note: " + entry.name() + " is damaged: " + problem))));
    }
    arguments.path(Flags.JSON).ifPresent(file -> AtomicFile.write(file, stream -> RunOutput.write(list, stream)));
    return ExitCode.DONE;
  }

  private static void print(RunList list, PrintStream out) {
    TextTable table = new TextTable().left("run").left("date").left("data").left("task").left("network").right("epochs")
        .left("state").left("metric").right("score").left("95 % interval").left("rows").right("time");
    for (RunList.Entry entry : list.entries()) {
      table.row(entry.run().map(run -> cells(entry, run)).orElseGet(
          () -> List.of(entry.name(), "-", "-", "-", "-", "-", "damaged", "-", "-", "-", "-", "-")));
    }
    table.print(out);
  }

  private static List<String> cells(RunList.Entry entry, RunRecord run) {
    Metric main = Metric.main(run.task());
    Optional<RunScore> score = entry.score();
    return List.of(entry.name(), DATE.format(run.changed().atZone(ZoneId.systemDefault())),
        run.file("data").map(DataFile::path).map(path -> Path.of(path).getFileName().toString()).orElse("-"), run.task().key(),
        Excerpt.of(run.network(), MAX_NETWORK), run.history().size() + "/" + run.config().trainer().training().epochs(),
        run.status().label(), score.isPresent() ? main.label() : "-",
        score.map(of -> Decimal.orDash(of.value(main), 4)).orElse("-"), score.map(RunTables::interval).orElse("-"),
        score.map(RunScore::rows).orElse("-"), RunTables.time(run.seconds()));
  }
}
