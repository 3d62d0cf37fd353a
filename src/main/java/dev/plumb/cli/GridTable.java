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

/** A grid for people: a row a cell, median and quartiles of the networks that stayed finite, in the notebook's rounding. */
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
      List<GridRow> all = result.of(cell);
      row.add(Integer.toString(all.size()));
      long diverged = all.stream().filter(of -> of.diverged() > 0).count();
      row.add(Decimal.fixed(100.0 * diverged / Math.max(1, all.size()), 1) + " %");
      for (int epoch : study.spec().lossAtEpochs()) {
        int place = study.curveEpochs().indexOf(epoch);
        row.add(cell(cell, of -> of.losses()[place], LOSS_DECIMALS));
      }
      row.add(cell(cell, GridRow::finalLoss, LOSS_DECIMALS));
      row.add(cell(cell, GridRow::gradientNormFirst, NORM_DECIMALS));
      row.add(cell(cell, GridRow::gradientNormLast, NORM_DECIMALS));
      table.row(row);
    }
    table.print(out);
  }

  private String cell(GridStudy.Cell cell, ToDoubleFunction<GridRow> figure, int decimals) {
    Quartiles of = result.quartiles(cell, figure);
    if (Double.isNaN(of.median())) {
      return "-";
    }
    String median = Decimal.fixed(of.median(), decimals);
    return study.seeds() == 1 ? median
        : median + " [" + Decimal.fixed(of.low(), decimals) + ", " + Decimal.fixed(of.high(), decimals) + "]";
  }

  /** Below the table: claims with their verdicts, and what was measured. */
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
