package dev.plumb.cli;

import dev.plumb.model.Excerpt;
import dev.plumb.study.RunComparison;
import dev.plumb.study.RunScore;
import dev.plumb.train.RunRecord;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** The tables of runs and their comparison in plain text. */
final class RunTables {
  /** The maximum length of a value. */
  private static final int MAX_VALUE = 32;

  private RunTables() {}

  static void print(RunComparison comparison, PrintStream out) {
    comparison.warnings().forEach(warning -> out.println(TerminalText.sanitize("warning: " + warning)));
    if (!comparison.warnings().isEmpty()) {
      out.println();
    }
    printDifferences(comparison, out);
    out.println();
    printScores(comparison, out);
  }

  private static void printDifferences(RunComparison comparison, PrintStream out) {
    List<RunComparison.Difference> differences = comparison.differences();
    if (differences.isEmpty()) {
      out.println("configuration: no differences");
      return;
    }
    TextTable table = new TextTable();
    if (comparison.runs().size() <= RunComparison.MAX_COLUMNS) {
      table.left("configuration");
      comparison.names().forEach(table::left);
      for (RunComparison.Difference difference : differences) {
        List<String> cells = new ArrayList<>(List.of(difference.key()));
        difference.values().forEach(value -> cells.add(Excerpt.of(value, MAX_VALUE)));
        table.row(cells);
      }
    } else {
      table.left("run");
      differences.forEach(difference -> table.left(difference.key()));
      for (int i = 0; i < comparison.runs().size(); i++) {
        List<String> cells = new ArrayList<>(List.of(comparison.names().get(i)));
        for (RunComparison.Difference difference : differences) {
          cells.add(Excerpt.of(difference.values().get(i), MAX_VALUE));
        }
        table.row(cells);
      }
    }
    table.print(out);
  }

  private static void printScores(RunComparison comparison, PrintStream out) {
    TextTable table = new TextTable().left("run").left("state").right("best epoch").left("rows");
    comparison.metrics().forEach(metric -> table.right(metric.heading()));
    table.left("95 % interval").right("baseline").right("parameters").right("time").left("device");
    for (int i = 0; i < comparison.runs().size(); i++) {
      RunRecord run = comparison.runs().get(i);
      List<RunScore> scores = RunScore.of(run);
      for (int at = 0; at < Math.max(1, scores.size()); at++) {
        table.row(cells(comparison, run, at == 0 ? comparison.names().get(i) : "", at < scores.size() ? scores.get(at) : null));
      }
    }
    table.print(out);
    out.println();
    comparison.notes().forEach(out::println);
  }

  /**
   * Returns a row of the table of scores.
   *
   * @param name of the run; empty below its first row
   * @param score null if the run has none
   */
  private static List<String> cells(RunComparison comparison, RunRecord run, String name, RunScore score) {
    boolean isFirst = !name.isEmpty();
    List<String> cells = new ArrayList<>(List.of(name, isFirst ? run.status().label() : "",
        isFirst ? run.bestEpoch() + " of " + run.history().size() : "", score == null ? "-" : score.rows()));
    comparison.metrics().forEach(metric -> cells.add(score == null ? "-" : Decimal.orDash(score.value(metric), 4)));
    cells.add(score == null ? "-" : interval(score));
    cells.add(score == null ? "-" : Decimal.orDash(score.baseline(), 4));
    cells.add(!isFirst ? "" : run.parameters().isPresent() ? Integer.toString(run.parameters().getAsInt()) : "-");
    cells.add(isFirst ? time(run.seconds()) : "");
    cells.add(isFirst ? run.device() : "");
    return cells;
  }

  static String interval(RunScore score) {
    return score.hasInterval() ? Decimal.fixed(score.low(), 4) + " to " + Decimal.fixed(score.high(), 4) : "-";
  }

  static String time(double seconds) {
    return seconds < 59.95 ? Decimal.fixed(seconds, seconds < 10 ? 2 : 1) + " s" : Decimal.duration(seconds);
  }
}
