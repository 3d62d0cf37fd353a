package dev.plumb.train;

import dev.plumb.model.Schedule;

/**
 * The learning rate of every step of a training: the schedule's rate of the epoch, which a warm-up brings up from 0 step by step,
 * linearly over its first epochs. Only a plateau has a state: what the losses so far made of the rate.
 */
public final class RateSchedule {
  /** ReduceLROnPlateau's: what a loss must fall by, relative to the best, to count; what a rate must change by to be changed. */
  private static final double THRESHOLD = 1e-4;
  private static final double MIN_CHANGE = 1e-8;

  /**
   * What a plateau remembers.
   *
   * @param rate the current one, warm-up aside
   * @param best the lowest loss so far
   * @param badEpochs since the loss last fell
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
   * The rate of one step.
   *
   * @param epoch from 0
   * @param step from 0, since the beginning of training
   */
  double rate(int epoch, long step) {
    double rate = ofEpoch(epoch);
    if (step >= warmUpSteps) {
      return rate;
    }
    double times = rate * (step + 1);
    return Double.isFinite(times) ? times / warmUpSteps : rate * ((step + 1.0) / warmUpSteps);
  }

  private double ofEpoch(int epoch) {
    if (schedule instanceof Schedule.Step step) {
      return base * Math.pow(step.factor(), epoch / step.everyEpochs());
    }
    if (schedule instanceof Schedule.Cosine cosine) {
      // Halved first: the product may overflow.
      return cosine.minimumRate() + (base - cosine.minimumRate()) * ((1 + Math.cos(Math.PI * epoch / epochs)) / 2);
    }
    if (schedule instanceof Schedule.Exponential exponential) {
      return base * Math.pow(exponential.factor(), epoch);
    }
    return state.rate();
  }

  /** Takes note of an epoch's loss, the validation rows' where there are some. */
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
