package dev.plumb.cli;

import dev.plumb.model.Activation;
import dev.plumb.study.Cure;
import dev.plumb.study.DepthCures;
import dev.plumb.study.Quartiles;
import dev.plumb.study.Study;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** The tables of the depth study's cures: per activation one of the very deep network, and one of all depths. */
final class CureTables {
  private static final int LOSS_DECIMALS = 4;
  private static final int FALL_DECIMALS = 2;

  private final DepthCures cures;

  CureTables(DepthCures cures) {
    this.cures = cures;
  }

  void print(PrintStream out) {
    for (Activation activation : DepthCures.ACTIVATIONS) {
      out.println();
      out.println("Cures of " + DepthCures.DEPTH + " hidden layers, " + activation.key());
      cures(activation).print(out);
    }
    for (Activation activation : DepthCures.ACTIVATIONS) {
      out.println();
      out.println("Seeds that learned by number of hidden layers, " + activation.key());
      depths(activation).print(out);
    }
  }

  private TextTable cures(Activation activation) {
    TextTable table = new TextTable().left("cure").left("initializer").right("seeds").right("diverged").right("learned")
        .right("final loss").right("below plain").right("fall per layer, first step").right("last step");
    Study.Cell plain = cures.cell(activation, Cure.PLAIN, DepthCures.DEPTH);
    for (Cure cure : Cure.values()) {
      Study.Cell cell = cures.cell(activation, cure, DepthCures.DEPTH);
      table.row(List.of(cure.label(), cell.initializer().key(), Long.toString(cures.learned(cell).of()),
          Decimal.fixed(100.0 * cures.diverged(cell).count() / cures.diverged(cell).of(), 1) + " %", cures.learned(cell).toString(),
          spread(cures.finalLoss(cell), LOSS_DECIMALS), cure == Cure.PLAIN ? "-" : cures.below(cell, plain).toString(),
          spread(cures.firstFall(cell), FALL_DECIMALS), spread(cures.lastFall(cell), FALL_DECIMALS)));
    }
    return table;
  }

  private TextTable depths(Activation activation) {
    TextTable table = new TextTable().left("cure");
    DepthCures.DEPTHS.forEach(depth -> table.right(Integer.toString(depth)));
    for (Cure cure : DepthCures.swept(activation)) {
      List<String> row = new ArrayList<>(List.of(cure.label()));
      DepthCures.DEPTHS.forEach(depth -> row.add(cures.learned(cures.cell(activation, cure, depth)).toString()));
      table.row(row);
    }
    return table;
  }

  private static String spread(Quartiles values, int decimals) {
    return Double.isNaN(values.median()) ? "-" : StudyTable.spread(values, decimals);
  }
}
