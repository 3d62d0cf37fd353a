package dev.plumb.train;

import dev.plumb.data.RowWeights;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import java.util.Optional;

/**
 * Options of a permutation importance.
 *
 * @param metric the metric whose loss of quality is measured; empty for accuracy or R²
 * @param repeats number of permutations of each column, from 1 to {@value #MAX_REPEATS}
 * @param seed random seed of the permutations, from 0 to 2³² - 1
 * @param weights weights of the rows: the column's weights count in every metric, those of classes only in the loss
 */
public record ImportanceOptions(Optional<Metric> metric, int repeats, long seed, RowWeights weights) {
  /** Largest number of repeats; more would not change the intervals visibly. */
  public static final int MAX_REPEATS = 1000;

  /** Accuracy or R², 10 repeats, seed 42, no weights. */
  public static final ImportanceOptions DEFAULT = new ImportanceOptions(Optional.empty(), 10, 42, RowWeights.NONE);

  /** @throws InvalidInputException when a number is out of range */
  public ImportanceOptions {
    if (repeats < 1 || repeats > MAX_REPEATS) {
      throw new InvalidInputException("repeats " + repeats + ": must be an integer from 1 to " + MAX_REPEATS);
    }
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + ": must be an integer from 0 to " + NumpyRandom.MAX_SEED);
    }
  }

  /** Returns these options with another metric. */
  public ImportanceOptions withMetric(Metric newMetric) {
    return new ImportanceOptions(Optional.of(newMetric), repeats, seed, weights);
  }

  /** Returns these options with another number of repeats. */
  public ImportanceOptions withRepeats(int newRepeats) {
    return new ImportanceOptions(metric, newRepeats, seed, weights);
  }

  /** Returns these options with another seed. */
  public ImportanceOptions withSeed(long newSeed) {
    return new ImportanceOptions(metric, repeats, newSeed, weights);
  }

  /** Returns these options with other weights of the rows. */
  public ImportanceOptions withWeights(RowWeights newWeights) {
    return new ImportanceOptions(metric, repeats, seed, newWeights);
  }

  /**
   * Returns the metric for a task: the chosen one, otherwise accuracy or R².
   *
   * @throws InvalidInputException when the chosen metric is one of the other task; the message lists those of this one
   */
  public Metric metric(Task task) {
    Metric chosen = metric.orElse(Metric.main(task));
    chosen.requireAppliesTo(task, "metric");
    return chosen;
  }
}
