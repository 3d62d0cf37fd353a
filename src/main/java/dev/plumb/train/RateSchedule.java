package dev.plumb.train;

import dev.plumb.model.Schedule;

/**
 * The learning rate of every step of a training: the schedule's rate for the epoch, multiplied during warm-up by a factor that
 * rises linearly from 0 to 1. Only a plateau schedule has a state, which depends on the losses so far.
 */
public final class RateSchedule {
  /** ReduceLROnPlateau's threshold of a relative decrease of the loss, and eps, the minimum change of the rate. */
  private static final double THRESHOLD = 1e-4;
  private static final double MIN_CHANGE = 1e-8;

  /**
   * The state of a plateau schedule.
   *
   * @param rate the current rate without warm-up
   * @param best the lowest loss so far
   * @param badEpochs number of epochs since the loss last fell
   */
  public record State(double rate, double best, int badEpochs) {}

  private final double base;
  private final Schedule schedule;
  private final int epochs;
  private final long warmUpSteps;
  private State state;

  RateSchedule(double base, Schedule schedule, int epochs, long warmUpSteps) {
    this.base = base;
    this.schedule = schedule;
    this.epochs = epochs;
    this.warmUpSteps = warmUpSteps;
    state = new State(base, Double.POSITIVE_INFINITY, 0);
  }

  State state() {
    return state;
  }

  void restore(State earlier) {
    state = earlier;
  }

  /**
   * Returns the rate of one step.
   *
   * @param epoch from 0
   * @param step from 0, counted from the beginning of the training
   */
  double rate(int epoch, long step) {
    double rate = epochRate(epoch);
    if (step >= warmUpSteps) {
      return rate;
    }
    double product = rate * (step + 1);
    return Double.isFinite(product) ? product / warmUpSteps : rate * ((step + 1.0) / warmUpSteps);
  }

  private double epochRate(int epoch) {
    if (schedule instanceof Schedule.Step step) {
      return base * Math.pow(step.factor(), epoch / step.everyEpochs());
    }
    if (schedule instanceof Schedule.Cosine cosine) {
      // Halves the factor first, as the product could overflow.
      return cosine.minimumRate() + (base - cosine.minimumRate()) * ((1 + Math.cos(Math.PI * epoch / epochs)) / 2);
    }
    if (schedule instanceof Schedule.Exponential exponential) {
      return base * Math.pow(exponential.factor(), epoch);
    }
    return state.rate();
  }

  /** Updates the schedule with an epoch's loss: of the validation rows, or of the training rows if there are none. */
  void epochDone(double loss) {
    if (!(schedule instanceof Schedule.Plateau plateau)) {
      return;
    }
    if (loss < state.best() * (1 - THRESHOLD)) {
      state = new State(state.rate(), loss, 0);
      return;
    }
    int bad = state.badEpochs() + 1;
    if (bad <= plateau.patience()) {
      state = new State(state.rate(), state.best(), bad);
      return;
    }
    double reduced = Math.max(state.rate() * plateau.factor(), plateau.minimumRate());
    state = new State(state.rate() - reduced > MIN_CHANGE ? reduced : state.rate(), state.best(), 0);
  }
}
