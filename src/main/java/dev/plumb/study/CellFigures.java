package dev.plumb.study;

import dev.plumb.data.Dataset;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** Proportions and quartiles of the cells of a study on the notebook's data, and comparisons of two cells on the same seeds. */
final class CellFigures {
  /** Fraction of the best constant's loss above which a network has learned next to nothing. */
  static final double NOTHING = 0.95;

  private final StudyResult result;
  private final double constantLoss;

  CellFigures(StudyResult result) {
    this.result = result;
    Dataset data = result.study().data().training(result.study().seed());
    double mean = 0;
    double square = 0;
    for (int row = 0; row < data.rows(); row++) {
      mean += data.target(row, 0) / data.rows();
      square += data.target(row, 0) * data.target(row, 0) / data.rows();
    }
    constantLoss = square - mean * mean;
  }

  /** A property of two networks of the same seed. */
  interface Comparison {
    boolean holds(TrialRow one, TrialRow other);
  }

  /** Returns the loss of the best prediction that is the same for all rows. */
  double constantLoss() {
    return constantLoss;
  }

  /** Returns whether a network that stayed finite ends at about the best constant's loss. */
  boolean hasLearnedNothing(TrialRow row) {
    return row.finalLoss() > NOTHING * constantLoss;
  }

  /** Returns the proportion of all networks that learned; a network that diverged did not. */
  Proportion learned(Study.Cell cell) {
    List<TrialRow> rows = result.of(cell);
    return new Proportion(rows.stream().filter(row -> row.diverged() == 0 && !hasLearnedNothing(row)).count(), rows.size());
  }

  Proportion diverged(Study.Cell cell) {
    List<TrialRow> rows = result.of(cell);
    return new Proportion(rows.stream().filter(row -> row.diverged() > 0).count(), rows.size());
  }

  /** Returns a proportion of the networks that stayed finite. */
  Proportion share(Study.Cell cell, Predicate<TrialRow> property) {
    List<TrialRow> rows = result.of(cell).stream().filter(row -> row.diverged() == 0).toList();
    return new Proportion(rows.stream().filter(property).count(), rows.size());
  }

  /** Compares two cells, but only on seeds for which both networks were trained and stayed finite. */
  Proportion pairs(Study.Cell cell, Study.Cell than, Comparison comparison) {
    Study study = result.study();
    int seeds = Math.min(study.seedsOf(cell), study.seedsOf(than));
    long known = 0;
    long holds = 0;
    for (int seed = 0; seed < seeds; seed++) {
      TrialRow one = result.rows()[study.firstTrial(cell) + seed];
      TrialRow other = result.rows()[study.firstTrial(than) + seed];
      if (one != null && other != null && one.diverged() == 0 && other.diverged() == 0) {
        known++;
        holds += comparison.holds(one, other) ? 1 : 0;
      }
    }
    return new Proportion(holds, known);
  }

  Quartiles quartiles(Study.Cell cell, ToDoubleFunction<TrialRow> figure) {
    return result.quartiles(cell, figure);
  }
}
