package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * The results of a study, complete or in part.
 *
 * @param device the device that trained it
 * @param setupSeconds the time before the first step: data and streams
 * @param rows [trial number]; null for a trial that is not trained
 */
public record StudyResult(Study study, DeviceInfo device, double setupSeconds, TrialRow[] rows) {
  /** Returns the available rows of one cell, ordered by seed. */
  public List<TrialRow> of(Study.Cell cell) {
    int first = study.firstTrial(cell);
    return Arrays.stream(rows, first, first + study.seedsOf(cell)).filter(row -> row != null).toList();
  }

  /** Returns quartiles over the networks of a cell that stayed finite. */
  public Quartiles quartiles(Study.Cell cell, ToDoubleFunction<TrialRow> figure) {
    return Quartiles.of(of(cell).stream().filter(row -> row.diverged() == 0).mapToDouble(figure).toArray());
  }

  /** Returns the trial of a study on a table with the best value of the main metric; empty if all have diverged. */
  public Optional<TrialRow> best() {
    StudyData.Table table = study.table().orElseThrow();
    int index = table.indexOf(table.mainMetric());
    double sign = table.mainMetric().isHigherBetter() ? -1 : 1;
    return Arrays.stream(rows).filter(row -> row != null && !Double.isNaN(row.scores()[index]))
        .min(Comparator.comparingDouble(row -> sign * row.scores()[index]));
  }

  public long diverged() {
    return Arrays.stream(rows).filter(row -> row != null && row.diverged() > 0).count();
  }

  public long finished() {
    return Arrays.stream(rows).filter(row -> row != null).count();
  }
}
