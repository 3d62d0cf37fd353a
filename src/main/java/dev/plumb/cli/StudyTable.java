package dev.plumb.cli;

import dev.plumb.study.Finding;
import dev.plumb.study.Quartiles;
import dev.plumb.study.Study;
import dev.plumb.study.StudyData;
import dev.plumb.study.StudyResult;
import dev.plumb.study.Summary;
import dev.plumb.study.TrialRow;
import dev.plumb.train.Metric;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The table of a study: one row per cell, rounded as in the notebook: losses to 4 decimals, gradient norms to 6. With several
 * seeds, a figure is the median and, in brackets, the quartiles of the networks that stayed finite.
 */
final class StudyTable {
  private static final int LOSS_DECIMALS = 4;
  private static final int NORM_DECIMALS = 6;
  private static final int WIDTH = 110;
  private static final String INDENT = "   ";

  private final StudyResult result;
  private final Study study;
  /** True for the table of a list of networks; that of a grid has the columns in which its cells differ. */
  private final boolean isList;

  StudyTable(StudyResult result) {
    this.result = result;
    study = result.study();
    isList = study.isList();
  }

  void print(PrintStream out) {
    List<Study.Cell> cells = study.cells();
    boolean named = isList || cells.stream().anyMatch(cell -> !cell.name().startsWith(cell.network().shape()));
    boolean initializers = cells.stream().map(Study.Cell::initializer).distinct().count() > 1;
    boolean rates = cells.stream().map(Study.Cell::learningRate).distinct().count() > 1;
    boolean counted = !isList || study.seeds() > 1;
    boolean diverged = !isList || counted && result.diverged() > 0;
    TextTable table = new TextTable();
    if (named) {
      table.left("model");
    }
    table.left("layers").left("activation");
    if (initializers) {
      table.left("initializer");
    }
    if (rates) {
      table.right("learning rate");
    }
    if (counted) {
      table.right("seeds");
    }
    if (diverged) {
      table.right("diverged");
    }
    study.lossAtEpochs().forEach(epoch -> table.right("loss @ " + epoch));
    if (study.table().isPresent()) {
      scored().forEach(metric -> table.right(study.table().get().judgedRows() + " " + metric.label()));
      if (study.seeds() > 1) {
        table.right("mean (95 % interval)");
      }
    } else {
      table.right("final loss").right("grad norm L1").right("grad norm last");
    }
    for (Study.Cell cell : cells) {
      List<String> row = new ArrayList<>();
      if (named) {
        row.add(cell.name());
      }
      row.add(cell.network().shape());
      row.add(cell.network().description());
      if (initializers) {
        row.add(cell.initializer().key());
      }
      if (rates) {
        row.add(Double.toString(cell.learningRate()));
      }
      List<TrialRow> trials = result.of(cell);
      if (counted) {
        row.add(Integer.toString(trials.size()));
      }
      if (diverged) {
        long count = trials.stream().filter(trial -> trial.diverged() > 0).count();
        row.add(isList ? Long.toString(count) : Decimal.fixed(100.0 * count / Math.max(1, trials.size()), 1) + " %");
      }
      for (int epoch : study.lossAtEpochs()) {
        int index = study.curveEpochs().indexOf(epoch);
        row.add(figure(cell, trial -> trial.losses()[index], LOSS_DECIMALS));
      }
      if (study.table().isPresent()) {
        scored().forEach(metric -> row.add(figure(cell, trial -> trial.scores()[study.table().get().indexOf(metric)], LOSS_DECIMALS)));
        if (study.seeds() > 1) {
          row.add(interval(trials));
        }
      } else {
        row.add(figure(cell, TrialRow::finalLoss, LOSS_DECIMALS));
        row.add(figure(cell, TrialRow::gradientNormFirst, NORM_DECIMALS));
        row.add(figure(cell, TrialRow::gradientNormLast, NORM_DECIMALS));
      }
      table.row(row);
    }
    table.print(out);
    study.table().ifPresent(data -> {
      out.println();
      out.println("loss: " + data.lossName());
      if (data.judgedRows().equals("training")) {
        out.println("training scores: of the rows seen in training");
      }
    });
  }

  /** Returns the mean of the main metric over the seeds that stayed finite, with its 95 % confidence interval. */
  private String interval(List<TrialRow> trials) {
    StudyData.Table table = study.table().orElseThrow();
    int index = table.indexOf(table.mainMetric());
    Summary summary = Summary.of(trials.stream().mapToDouble(trial -> trial.scores()[index]).toArray())
        .within(table.mainMetric().min(), table.mainMetric().max());
    return Double.isNaN(summary.deviation()) ? "-" : Decimal.fixed(summary.mean(), LOSS_DECIMALS) + " ("
        + Decimal.fixed(summary.low(), LOSS_DECIMALS) + " to " + Decimal.fixed(summary.high(), LOSS_DECIMALS) + ")";
  }

  /** Returns the metrics in the table: the loss and the main one; --json and --csv have all. */
  private List<Metric> scored() {
    return List.of(Metric.LOSS, study.table().orElseThrow().mainMetric());
  }

  private String figure(Study.Cell cell, ToDoubleFunction<TrialRow> value, int decimals) {
    List<TrialRow> trials = result.of(cell);
    if (isList && study.seeds() == 1 && trials.get(0).diverged() > 0) {
      return Decimal.fixed(value.applyAsDouble(trials.get(0)), decimals);
    }
    Quartiles quartiles = result.quartiles(cell, value);
    if (Double.isNaN(quartiles.median())) {
      return "-";
    }
    return study.seeds() == 1 ? Decimal.fixed(quartiles.median(), decimals) : spread(quartiles, decimals);
  }

  /** Returns the median and the quartiles: 0.0304 [0.0210, 0.0520]. */
  static String spread(Quartiles quartiles, int decimals) {
    return Decimal.fixed(quartiles.median(), decimals) + " [" + Decimal.fixed(quartiles.low(), decimals) + ", "
        + Decimal.fixed(quartiles.high(), decimals) + "]";
  }

  /** Prints the findings below the table: claims with their verdicts and measurements. */
  static void print(List<Finding> findings, PrintStream out) {
    print(findings, 1, out);
  }

  /** @param first number of the first finding */
  static void print(List<Finding> findings, int first, PrintStream out) {
    int number = first;
    for (Finding finding : findings) {
      out.println();
      String verdict = finding.verdict() == Finding.Verdict.MEASURED ? "" : " "
          + finding.verdict().words().toUpperCase(Locale.ROOT);
      out.println(TerminalText.sanitize(number++ + ". " + finding.claim() + verdict));
      WordWrap.lines(TerminalText.sanitize(finding.measured()), WIDTH - INDENT.length())
          .forEach(line -> out.println(INDENT + line));
    }
  }
}
