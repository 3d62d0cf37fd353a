package dev.plumb.cli;

import dev.plumb.study.Summary;
import dev.plumb.study.TuningColumn;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResult.Standing;
import dev.plumb.train.TrainConfig;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The result of a hyperparameter search in plain text: the ladder, the best candidates, and the cost. */
final class TuneTable {
  private static final int DECIMALS = 4;

  private TuneTable() {}

  static void print(TuningResult result, PrintStream out) {
    printLadder(result, out);
    out.println();
    printCandidates(result, out);
    out.println();
    Standing winner = result.standings().get(0);
    if (result.isBaseKept()) {
      out.println("candidate " + winner.candidate() + " (base) wins: no drawn finalist is better by more than "
          + TuningResult.MIN_STANDARD_ERRORS + " standard errors");
    }
    out.println(String.format(Locale.ROOT, "cost: %,d networks, %,d epochs, %s of training", result.trials().size(), result.epochs(),
        Decimal.duration(result.seconds())));
  }

  private static void printLadder(TuningResult result, PrintStream out) {
    TextTable table = new TextTable().left("rung").right("epochs").right("candidates").right("best " + result.metric().heading());
    for (int rung = 0; rung < result.ladder().size(); rung++) {
      TuningResult.Rung row = result.ladder().get(rung);
      table.row(List.of(Integer.toString(rung + 1), Integer.toString(row.epochs()), Integer.toString(row.candidates()),
          score(row.best())));
    }
    table.print(out);
  }

  private static void printCandidates(TuningResult result, PrintStream out) {
    TextTable table = new TextTable().left("candidate").right("last rung").right("epochs").right(result.metric().heading())
        .right("95% low").right("95% high").right("scores").right("other seeds");
    for (TuningColumn column : TuningColumn.ALL) {
      if (column.isNumber()) {
        table.right(column.name());
      } else {
        table.left(column.name());
      }
    }
    for (Standing standing : result.best()) {
      List<String> cells = new ArrayList<>(List.of(standing.candidate() + (result.isBase(standing.candidate()) ? " (base)" : ""),
          Integer.toString(standing.lastRung() + 1), Integer.toString(result.ladder().get(standing.rung()).epochs())));
      if (standing.isDiverged()) {
        cells.addAll(List.of("diverged", "-", "-", "-", Integer.toString(standing.otherSeeds())));
      } else {
        Summary score = result.score(standing);
        cells.addAll(List.of(score(score.mean()), score(score.low()), score(score.high()), Integer.toString(score.count()),
            Integer.toString(standing.otherSeeds())));
      }
      TrainConfig config = result.candidates().get(standing.candidate());
      TuningColumn.ALL.forEach(column -> cells.add(column.text().apply(config)));
      table.row(cells);
    }
    table.print(out);
  }

  private static String score(double value) {
    return Decimal.orDash(value, DECIMALS);
  }
}
