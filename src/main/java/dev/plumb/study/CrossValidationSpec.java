package dev.plumb.study;

import dev.plumb.data.FoldOptions;
import dev.plumb.model.InvalidInputException;
import dev.plumb.train.TrainConfig;
import java.util.Locale;

/**
 * A cross-validation of one training configuration.
 *
 * @param config the configuration, whose seed, or split seed if it has one, is also that of the folds
 * @param folds the choice of the folds
 * @param seeds number of networks that are trained on each fold, from consecutive seeds
 */
public record CrossValidationSpec(TrainConfig config, FoldOptions folds, int seeds) {
  /** Maximum number of trainings: more are almost certainly typos. */
  private static final int MAX_TRAININGS = 1_000_000;

  public CrossValidationSpec {
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    double trainings = (double) folds.folds() * folds.repeats() * seeds;
    if (trainings > MAX_TRAININGS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "the cross-validation has %,.0f networks, but at most %,d are"
          + " trained; use fewer folds, repeats or seeds", trainings, MAX_TRAININGS));
    }
    StudySpec.requireSeed(config.seed() + seeds - 1);
  }

  /** Returns the seed of the random stream that the folds are drawn from. */
  public long foldSeed() {
    return config.splitSeed().orElse(config.seed());
  }

  /** Returns the number of networks. */
  public int trainings() {
    return folds.folds() * folds.repeats() * seeds;
  }

  /**
   * Returns the configuration of one training. Several networks on a fold share its training and validation rows: their
   * split has the first seed, unless it has a seed of its own.
   *
   * @param index from 0 to seeds - 1
   */
  TrainConfig config(int index) {
    return config.with(changes -> {
      changes.seed(config.seed() + index);
      if (seeds > 1 && config.splitSeed().isEmpty()) {
        changes.splitSeed(config.seed());
      }
    });
  }

  CrossValidationSpec withConfig(TrainConfig other) {
    return new CrossValidationSpec(other, folds, seeds);
  }
}
