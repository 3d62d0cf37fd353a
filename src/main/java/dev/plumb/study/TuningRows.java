package dev.plumb.study;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Folds;
import dev.plumb.data.Folds.Fold;
import dev.plumb.data.Split;
import dev.plumb.data.Table;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.DataView;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The rows of a hyperparameter search, divided into training and judging rows: by folds, or once by held-out rows. Small tables are
 * divided into folds again for each seed, so that a candidate that suits one division by chance is found out.
 */
final class TuningRows {
  /** Training rows of a fold, encoded, and its judging rows. */
  record Part(DataView training, Table judging) {}

  /** Maximum number of rows times folds of a small table: all divisions are encoded at once. */
  private static final long MAX_ENCODED_ROWS = 10L * FoldSelection.MAX_ROWS;

  private final Table table;
  private final int droppedRows;
  private final int folds;
  private final List<Part> parts = new ArrayList<>();
  private final PreparedData first;

  /**
   * Divides a table.
   *
   * @param base the base configuration without validation rows, with its columns resolved
   * @param held precision in which features are held
   * @throws dev.plumb.model.InvalidInputException when the table cannot be divided or does not suit the configuration
   */
  TuningRows(Table given, TuningSpec spec, TrainConfig base, Precision held) {
    table = base.columns().handleMissing(given, base.weights());
    droppedRows = given.rows() - table.rows();
    List<Fold> all = divide(table, base.columns(), spec);
    folds = (int) all.stream().filter(fold -> fold.repeat() == 1).count();
    PreparedData prepared = null;
    for (Fold fold : all) {
      PreparedData training = PreparedData.of(table.rows(fold.training()), base, held);
      Table judging = table.rows(fold.test());
      FoldTraining.requireScorable(training, judging);
      parts.add(new Part(training.view(), judging));
      prepared = prepared == null ? training : prepared;
    }
    first = prepared;
  }

  private static List<Fold> divide(Table table, EncodingOptions columns, TuningSpec spec) {
    NumpyRandom stream = new NumpyRandom(spec.splitSeed());
    int[] labels = columns.labels(table);
    boolean hasSingleRows = labels != null && FoldSelection.rarest(labels) < 2;
    OptionalDouble share = spec.folds().isPresent() ? OptionalDouble.empty()
        : spec.heldOut().isPresent() ? spec.heldOut()
        : table.rows() > FoldSelection.MAX_ROWS || hasSingleRows ? OptionalDouble.of(TuningSpec.DEFAULT_HELD_OUT)
        : OptionalDouble.empty();
    if (share.isPresent()) {
      Split split = Split.of(table.rows(), share.getAsDouble(), stream, labels);
      return List.of(new Fold(1, 1, split.training(), split.validation()));
    }
    int count = spec.folds().orElseGet(() -> Math.max(2, Math.min(FoldSelection.folds(labels), table.rows())));
    int divisions = count * (long) table.rows() <= MAX_ENCODED_ROWS ? HalvingLadder.seeds(count) : 1;
    return Folds.of(table, columns, new FoldOptions(count, divisions, Optional.empty(), Optional.empty()), stream);
  }

  /** Returns the rows that are used. */
  Table table() {
    return table;
  }

  /** Returns the number of rows that are dropped because a value is missing. */
  int droppedRows() {
    return droppedRows;
  }

  /** Returns the number of folds; 1 if the candidates are judged by held-out rows. */
  int folds() {
    return folds;
  }

  /** Returns the number of judging rows of a fold, divided by that of its training rows. */
  double judgingShare() {
    int judging = part(0, 0).judging().rows();
    return (double) judging / (table.rows() - judging);
  }

  /** Returns the rows of a fold for a seed. */
  Part part(int fold, int seed) {
    return parts.get(seed * folds % parts.size() + fold);
  }

  /** Returns the base configuration prepared for the training rows of the first fold. */
  PreparedData first() {
    return first;
  }

  /** Returns the number of judging rows, over all folds of a seed. */
  int judgingRows() {
    return IntStream.range(0, folds).map(fold -> part(fold, 0).judging().rows()).sum();
  }

  /** Returns whether an epoch over the training rows of a fold, or over all rows, has a batch of one row. */
  boolean hasSingleRow(int batchSize) {
    return Stream.concat(Stream.of(table.rows()), parts.stream().map(part -> part.training().training().rows()))
        .anyMatch(rows -> rows > batchSize && rows % batchSize == 1);
  }
}
