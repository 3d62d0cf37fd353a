package dev.plumb.train;

import dev.plumb.model.NamedEnum;
import dev.plumb.random.NumpyRandom;
import java.util.List;
import java.util.Optional;

/**
 * The state of one network in training, between two steps. Together with the specification and the data it is enough to resume
 * the training bit for bit.
 *
 * @param parameters flat, in the order of the parameter layout
 * @param moment1 first moments, in the same order; empty if the optimizer has none
 * @param moment2 second moments, in the same order; empty if the optimizer has none
 * @param stepsTaken number of steps since the beginning of the training
 * @param stream the random stream before the mini-batches of the current epoch were drawn
 * @param stepInEpoch number of steps taken in the current epoch
 * @param lossSum sum over the steps of the current epoch of loss times rows
 * @param secondsInEpoch duration of the current epoch so far
 * @param rate the state of the learning-rate schedule
 * @param best the parameters after the best epoch; empty before the end of the first epoch
 * @param bestEpoch the number of that epoch, from 1; 0 before the end of the first epoch
 * @param bestLoss the watched loss of that epoch: of the validation rows, or of the training rows if there are no validation rows. If
 *     a metric is watched, its value; negative if higher values are better, and infinite if it is undefined
 * @param history the metrics of the finished epochs
 * @param end the reason why the training has ended; empty while it has not
 */
public record TrainerState(
    double[] parameters,
    double[] moment1,
    double[] moment2,
    long stepsTaken,
    NumpyRandom.State stream,
    int stepInEpoch,
    double lossSum,
    double secondsInEpoch,
    RateSchedule.State rate,
    double[] best,
    int bestEpoch,
    double bestLoss,
    List<EpochMetrics> history,
    Optional<End> end) {

  /** The reason why a training has ended. */
  public enum End implements NamedEnum {
    /** All epochs are finished. */
    EPOCHS,
    /** The loss has not fallen for as many epochs as early stopping allows. */
    EARLY_STOPPING,
    /** A loss, a gradient or a parameter is not finite. */
    DIVERGED
  }

  private static final double[] NONE = {};

  public TrainerState {
    history = List.copyOf(history);
  }

  /**
   * Returns the state before the first step.
   *
   * @param parameters the initial parameters
   * @param stream the random stream that the mini-batches will be drawn from; its current state is copied
   */
  public static TrainerState begin(TrainerSpec spec, double[] parameters, NumpyRandom stream) {
    return begin(spec, spec.training().learningRate(), parameters, stream);
  }

  /** Returns the state before the first step of a training with another learning rate than that of the specification. */
  public static TrainerState begin(TrainerSpec spec, double learningRate, double[] parameters, NumpyRandom stream) {
    int moment1 = spec.training().optimizer().usesFirstMoment() ? parameters.length : 0;
    int moment2 = spec.training().optimizer().usesSecondMoment() ? parameters.length : 0;
    return new TrainerState(parameters, new double[moment1], new double[moment2], 0, stream.state(), 0, 0, 0,
        new RateSchedule.State(learningRate, Double.POSITIVE_INFINITY, 0), NONE, 0,
        Double.POSITIVE_INFINITY, List.of(), Optional.empty());
  }

  /** Returns the number of finished epochs. */
  public int epochs() {
    return history.size();
  }
}
