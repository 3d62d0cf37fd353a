package dev.plumb.cli;

import dev.plumb.model.Dropout;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResult.Standing;
import dev.plumb.train.Automatic;
import dev.plumb.train.TrainConfig;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The result of a hyperparameter search in plain text: the ladder, the best candidates, and the cost. */
final class TuneTable {
  private static final int MAX_CANDIDATES = 10;
  private static final int DECIMALS = 4;

  private TuneTable() {}

  static void print(TuningResult result, PrintStream out) {
    printLadder(result, out);
    out.println();
    printCandidates(result, out);
    out.println();
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
    TextTable table = new TextTable().left("candidate").right("last rung").right("epochs").right(result.metric().heading()).right("95% low")
        .right("95% high").right("scores").right("learning rate").left("layers").left("activation").right("weight decay")
        .right("dropout").right("batch size").left("normalization").left("residual");
    List<Standing> standings = result.standings();
    for (int rank = 0; rank < standings.size(); rank++) {
      Standing standing = standings.get(rank);
      boolean isBase = standing.candidate() < result.baseCandidates();
      if (rank < MAX_CANDIDATES || isBase) {
        List<String> cells = new ArrayList<>(List.of(standing.candidate() + (isBase ? " (base)" : ""),
            Integer.toString(standing.lastRung() + 1), Integer.toString(result.ladder().get(standing.rung()).epochs())));
        if (standing.isDiverged()) {
          cells.addAll(List.of("diverged", "-", "-", "-"));
        } else {
          cells.addAll(List.of(score(standing.score().mean()), score(standing.score().low()), score(standing.score().high()),
              Integer.toString(standing.score().count())));
        }
        cells.addAll(hyperparameters(result.candidates().get(standing.candidate())));
        table.row(cells);
      }
    }
    table.print(out);
  }

  private static String score(double value) {
    return Double.isNaN(value) ? "-" : Decimal.fixed(value, DECIMALS);
  }

  private static List<String> hyperparameters(TrainConfig config) {
    var training = config.trainer().training();
    return List.of(Double.toString(training.learningRate()),
        config.hidden().isEmpty() ? "none" : config.hidden().stream().map(String::valueOf).collect(Collectors.joining(",")),
        config.activation().key(),
        config.automatic().contains(Automatic.WEIGHT_DECAY) ? "auto" : Double.toString(training.optimizer().weightDecay()),
        Double.toString(training.dropout().map(Dropout::probability).orElse(0.0)),
        training.batchSize().isPresent() ? Integer.toString(training.batchSize().getAsInt()) : "all",
        config.normalization().key(), config.residual() ? "yes" : "no");
  }
}
