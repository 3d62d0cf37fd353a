package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;

/**
 * The specification of a training of one network.
 *
 * @param training loss, optimizer, precision and number of epochs
 * @param schedule the learning-rate schedule
 * @param warmUpEpochs number of epochs over which the learning rate rises from 0, linearly by steps; 0 for none
 * @param shuffle true to draw new mini-batches in every epoch
 * @param patience number of epochs without an improvement after which the training ends early; 0 for never
 * @param watch the metric of the validation rows, or of the training rows if there are none, that decides which epoch is the best
 *     and when the training ends early. A plateau schedule always follows the loss
 */
public record TrainerSpec(TrainingSpec training, Schedule schedule, int warmUpEpochs, boolean shuffle, int patience, Metric watch) {
  public TrainerSpec {
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

  /** Creates the specification of a training that watches the loss. */
  public TrainerSpec(TrainingSpec training, Schedule schedule, int warmUpEpochs, boolean shuffle, int patience) {
    this(training, schedule, warmUpEpochs, shuffle, patience, Metric.LOSS);
  }

  /** Returns the same specification of another training. */
  public TrainerSpec withTraining(TrainingSpec other) {
    return new TrainerSpec(other, schedule, warmUpEpochs, shuffle, patience, watch);
  }
}
