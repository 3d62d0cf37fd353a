package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;

/**
 * How one network is fitted to data.
 *
 * @param training losses, steps and the longest it may take
 * @param warmUpEpochs over which the learning rate rises from 0, linearly by steps; 0 for none
 * @param shuffle whether batches are drawn anew every epoch
 * @param patience epochs without a lower loss after which it ends early; 0 for never
 */
public record FitSpec(TrainingSpec training, Schedule schedule, int warmUpEpochs, boolean shuffle, int patience) {
  public FitSpec {
    if (warmUpEpochs < 0 || warmUpEpochs > training.epochs()) {
      throw new InvalidInputException("warmUpEpochs " + warmUpEpochs + " must lie between 0 and the " + training.epochs()
          + " epochs of the training");
    }
    if (schedule instanceof Schedule.Cosine cosine) {
      training.precision().requireInRange("minimumRate", cosine.minimumRate());
    } else if (schedule instanceof Schedule.Plateau plateau) {
      training.precision().requireInRange("minimumRate", plateau.minimumRate());
    }
    if (patience < 0) {
      throw new InvalidInputException("earlyStopping " + patience + " must be at least 0, which is for never");
    }
  }
}
