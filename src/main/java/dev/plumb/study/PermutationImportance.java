package dev.plumb.study;

import dev.plumb.data.FeatureColumn;
import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.Importance;
import dev.plumb.train.PermutedScoring;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;

/** Computes {@linkplain Importance permutation importances}. */
public final class PermutationImportance {
  private PermutationImportance() {}

  /**
   * Computes the importance of every feature column. Each column has a random stream of its own, which depends only on the seed.
   *
   * @param scoring the labeled rows, at least two
   * @param repeats number of permutations of each column, at least 1
   * @param seed of the permutations, from 0 to 2³² - 1
   * @param onScored called with the number of permuted tables that have been scored, of columns · repeats
   * @throws InvalidInputException when there are fewer than two rows, the metric is undefined for them, or a row cannot be computed
   */
  public static Importance of(PermutedScoring scoring, int repeats, long seed, IntConsumer onScored) {
    if (scoring.rows() < 2) {
      throw new InvalidInputException("there is only 1 row; permuting a column needs at least 2");
    }
    double score = scoring.score();
    if (Double.isNaN(score)) {
      throw new InvalidInputException("metric " + scoring.metric().key() + " is undefined for these rows, which lack a class;"
          + " use another metric, such as accuracy, or add rows");
    }
    List<Importance.Column> columns = new ArrayList<>();
    for (int feature = 0; feature < scoring.features().size(); feature++) {
      columns.add(column(scoring, feature, score, repeats, seed, onScored));
    }
    columns.sort(Comparator.comparingDouble(Importance.Column::mean).reversed());
    return new Importance(scoring.metric(), score, scoring.rows(), repeats, seed, columns);
  }

  private static Importance.Column column(PermutedScoring scoring, int feature, double score, int repeats, long seed,
      IntConsumer onScored) {
    FeatureColumn column = scoring.features().get(feature);
    // As scikit-learn: each column begins the same stream anew, and permutes what the last repeat has permuted.
    NumpyRandom random = new NumpyRandom(new NumpyRandom(seed).interval(Integer.MAX_VALUE));
    int[] shuffled = identity(scoring.rows());
    int[] order = identity(scoring.rows());
    double[] values = new double[repeats];
    for (int repeat = 0; repeat < repeats; repeat++) {
      random.shuffle(shuffled);
      int[] last = order;
      order = Arrays.stream(shuffled).map(row -> last[row]).toArray();
      double permuted = scoring.score(feature, order);
      values[repeat] = scoring.metric().isHigherBetter() ? score - permuted : permuted - score;
      onScored.accept(feature * repeats + repeat + 1);
    }
    Summary summary = Summary.of(values);
    double squares = Arrays.stream(values).map(value -> (value - summary.mean()) * (value - summary.mean())).sum();
    return new Importance.Column(column.name(), Arrays.stream(values).boxed().toList(), summary.mean(), Math.sqrt(squares / repeats),
        summary.low(), summary.high());
  }

  private static int[] identity(int rows) {
    int[] order = new int[rows];
    Arrays.setAll(order, row -> row);
    return order;
  }
}
