package dev.plumb.train;

import dev.plumb.model.NamedEnum;
import dev.plumb.random.NumpyRandom;
import java.util.List;
import java.util.Optional;

/**
 * Where a training stands between two steps: all that it needs, besides its specification and its data, to go on bit for bit.
 *
 * @param parameters flat, as the layout has them
 * @param moment1 likewise; of no length where the optimizer keeps none
 * @param moment2 likewise
 * @param stepsTaken since the beginning of training
 * @param stream as it stood before the batches of the epoch in progress were drawn
 * @param stepInEpoch steps taken of the epoch in progress
 * @param lossSum of the epoch in progress: each step's loss times its rows
 * @param secondsInEpoch that the epoch in progress has taken
 * @param rate what a plateau remembers
 * @param best the parameters after the epoch with the lowest loss; of no length before the first epoch is done
 * @param bestEpoch that epoch, from 1; 0 before the first is done
 * @param bestLoss its loss: of the validation rows where there are some, else of the training
 * @param history the epochs that are done
 * @param end why it is over; empty while it is not
 */
public record FitState(
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

  /** Why a training is over. */
  public enum End implements NamedEnum {
    /** All its epochs are done. */
    EPOCHS,
    /** The loss did not fall any more. */
    EARLY_STOPPING,
    /** A loss, a gradient or a parameter was not finite. */
    DIVERGED
  }

  private static final double[] NONE = {};

  public FitState {
    history = List.copyOf(history);
  }

  /**
   * Before the first step.
   *
   * @param stream from which the batches will be drawn; what it draws later does not change this state
   */
  public static FitState begin(FitSpec spec, double[] parameters, NumpyRandom stream) {
    int moment1 = spec.training().optimizer().usesFirstMoment() ? parameters.length : 0;
    int moment2 = spec.training().optimizer().usesSecondMoment() ? parameters.length : 0;
    return new FitState(parameters, new double[moment1], new double[moment2], 0, stream.state(), 0, 0, 0,
        new RateSchedule.State(spec.training().learningRate(), Double.POSITIVE_INFINITY, 0), NONE, 0,
        Double.POSITIVE_INFINITY, List.of(), Optional.empty());
  }

  /** Epochs that are done. */
  public int epochs() {
    return history.size();
  }
}
