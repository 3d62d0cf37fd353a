package dev.plumb.cli;

import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRun;
import dev.plumb.study.StudySpec;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * The table of a study, rounded as in the notebook: losses to 4 decimals, gradient norms to 6. With several seeds, a cell has the
 * median and, in brackets, the quartiles of the runs that stayed finite (linear interpolation, NumPy's default).
 */
final class StudyTable {
  private static final int LOSS_DECIMALS = 4;
  private static final int NORM_DECIMALS = 6;
  private static final Quantile QUARTILES = Quantile.withDefaults().with(Quantile.EstimationMethod.HF7);

  private final StudySpec spec;
  private final List<StudyRun> runs;
  private final int seeds;

  StudyTable(StudyResult result) {
    spec = result.spec();
    runs = result.runs();
    seeds = runs.size() / spec.networks().size();
  }

  void print(PrintStream out) {
    boolean anyDiverged = runs.stream().anyMatch(run -> run.divergedAtEpoch().isPresent());
    TextTable table = new TextTable().left("model").left("layers").left("activation");
    if (seeds > 1) {
      table.right("seeds");
      if (anyDiverged) {
        table.right("diverged");
      }
    }
    spec.lossAtEpochs().forEach(epoch -> table.right("loss @ " + epoch));
    table.right("final loss").right("grad norm L1").right("grad norm last");
    for (int i = 0; i < spec.networks().size(); i++) {
      StudyNetwork network = spec.networks().get(i);
      List<StudyRun> networkRuns = runs.subList(i * seeds, (i + 1) * seeds);
      List<String> cells = new ArrayList<>(
          List.of(network.name(), network.network().shape(), network.network().activation().key()));
      if (seeds > 1) {
        cells.add(Integer.toString(seeds));
        if (anyDiverged) {
          cells.add(Long.toString(networkRuns.stream().filter(run -> run.divergedAtEpoch().isPresent()).count()));
        }
      }
      for (int epoch : spec.lossAtEpochs()) {
        cells.add(cell(networkRuns, run -> run.lossAtEpoch().get(epoch), LOSS_DECIMALS));
      }
      cells.add(cell(networkRuns, StudyRun::finalLoss, LOSS_DECIMALS));
      cells.add(cell(networkRuns, StudyRun::gradNormFirst, NORM_DECIMALS));
      boolean hasHidden = network.network().layerCount() > 1;
      cells.add(hasHidden ? cell(networkRuns, run -> run.gradNormLast().getAsDouble(), NORM_DECIMALS) : "-");
      table.row(cells);
    }
    table.print(out);
  }

  private String cell(List<StudyRun> networkRuns, ToDoubleFunction<StudyRun> value, int decimals) {
    if (seeds == 1) {
      return Decimal.fixed(value.applyAsDouble(networkRuns.get(0)), decimals);
    }
    double[] values = networkRuns.stream()
        .filter(run -> run.divergedAtEpoch().isEmpty())
        .mapToDouble(value)
        .toArray();
    if (values.length == 0) {
      return "-";
    }
    double[] quartiles = QUARTILES.evaluate(values, 0.25, 0.5, 0.75);
    return Decimal.fixed(quartiles[1], decimals)
        + " [" + Decimal.fixed(quartiles[0], decimals) + ", " + Decimal.fixed(quartiles[2], decimals) + "]";
  }
}
