package dev.plumb.train;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The result of a training run that has finished, diverged or been stopped.
 *
 * @param folder the folder with the run's files
 * @param state the state after the last step; its end is empty if the run was stopped and can be resumed
 * @param scores the scores of the best epoch's model by rows: training, validation and test, as far as they exist and their
 *     outputs are finite
 * @param initialLoss the loss of the training rows before the training, if the network has not learned: if its loss is now more than
 *     twice as high, and its accuracy or R² on these rows is no better than the baseline's; otherwise empty
 * @param estimate the estimate by the cross-validation that chose the configuration, if there was one
 * @param temperature the temperature by which the probabilities are calibrated, if they are; see {@link Calibration}
 */
public record TrainingResult(RunFolder folder, Manifest manifest, PreparedData prepared, TrainerState state,
    Map<String, Scores> scores, OptionalDouble initialLoss, Optional<FoldEstimate> estimate, OptionalDouble temperature) {
  /** Factor by which the loss must have grown: a training that starts near an optimum may end somewhat above it. */
  static final double MIN_GROWTH = 2;

  /** Returns the name and the unit of the loss: "cross entropy in nats". */
  public String lossName() {
    return ScoreTable.loss(prepared.config(), prepared.view().encoding().target());
  }
}
