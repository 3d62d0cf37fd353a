package dev.plumb.cli;

import dev.plumb.study.Finding;
import dev.plumb.study.GridResult;
import dev.plumb.study.GridRow;
import dev.plumb.study.GridStudy;
import dev.plumb.study.Quartiles;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The table of a grid: one row per cell, with the median and quartiles of the networks that stayed finite, rounded as in the
 * notebook.
 */
final class GridTable {
  private static final int LOSS_DECIMALS = 4;
  private static final int NORM_DECIMALS = 6;
  private static final int WIDTH = 110;
  private static final String INDENT = "   ";

  private final GridResult result;
  private final GridStudy study;

  GridTable(GridResult result) {
    this.result = result;
    study = result.study();
  }

  void print(PrintStream out) {
    List<GridStudy.Cell> cells = study.cells();
    boolean named = cells.stream().anyMatch(cell -> !cell.name().startsWith(cell.network().shape()));
    boolean initializers = cells.stream().map(GridStudy.Cell::initializer).distinct().count() > 1;
    boolean rates = cells.stream().map(GridStudy.Cell::learningRate).distinct().count() > 1;
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
    table.right("seeds").right("diverged");
    study.spec().lossAtEpochs().forEach(epoch -> table.right("loss @ " + epoch));
    table.right("final loss").right("grad norm L1").right("grad norm last");
    for (GridStudy.Cell cell : cells) {
      List<String> row = new ArrayList<>();
      if (named) {
        row.add(cell.name());
      }
      row.add(cell.network().shape());
      row.add(cell.network().activation().key());
      if (initializers) {
        row.add(cell.initializer().key());
      }
      if (rates) {
        row.add(Double.toString(cell.learningRate()));
      }
      List<GridRow> networks = result.of(cell);
      row.add(Integer.toString(networks.size()));
      long diverged = networks.stream().filter(network -> network.diverged() > 0).count();
      row.add(Decimal.fixed(100.0 * diverged / Math.max(1, networks.size()), 1) + " %");
      for (int epoch : study.spec().lossAtEpochs()) {
        int index = study.curveEpochs().indexOf(epoch);
        row.add(quartiles(cell, network -> network.losses()[index], LOSS_DECIMALS));
      }
      row.add(quartiles(cell, GridRow::finalLoss, LOSS_DECIMALS));
      row.add(quartiles(cell, GridRow::gradientNormFirst, NORM_DECIMALS));
      row.add(quartiles(cell, GridRow::gradientNormLast, NORM_DECIMALS));
      table.row(row);
    }
    table.print(out);
  }

  private String quartiles(GridStudy.Cell cell, ToDoubleFunction<GridRow> value, int decimals) {
    Quartiles quartiles = result.quartiles(cell, value);
    if (Double.isNaN(quartiles.median())) {
      return "-";
    }
    String median = Decimal.fixed(quartiles.median(), decimals);
    return study.seeds() == 1 ? median
        : median + " [" + Decimal.fixed(quartiles.low(), decimals) + ", " + Decimal.fixed(quartiles.high(), decimals) + "]";
  }

  /** Prints the findings below the table: claims with their verdicts and measurements. */
  static void print(List<Finding> findings, PrintStream out) {
    int number = 0;
    for (Finding finding : findings) {
      out.println();
      String verdict = finding.verdict() == Finding.Verdict.MEASURED ? "" : " "
          + finding.verdict().words().toUpperCase(Locale.ROOT);
      out.println(TerminalText.sanitize(++number + ". " + finding.claim() + verdict));
      WordWrap.lines(TerminalText.sanitize(finding.measured()), WIDTH - INDENT.length())
          .forEach(line -> out.println(INDENT + line));
    }
  }
}
