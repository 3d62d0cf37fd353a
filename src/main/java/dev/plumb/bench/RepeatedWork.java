package dev.plumb.bench;

import java.util.function.IntConsumer;

/** Work that is repeated back to back, often enough for a measurement to last a given time. */
final class RepeatedWork {
  private static final int MAX_TIMES = 1 << 28;
  /** How much the number of repetitions may grow from one try to the next: the first ones are slow. */
  private static final double MAX_GROWTH = 16;
  /** So that the next measurement is long enough although it may be quicker. */
  private static final double MARGIN = 1.1;

  private final IntConsumer work;
  private final double minSeconds;
  private int times = 1;

  /**
   * @param work does it so many times, and waits for all of it
   * @param minSeconds of a measurement
   */
  RepeatedWork(IntConsumer work, double minSeconds) {
    this.work = work;
    this.minSeconds = minSeconds;
  }

  /** Works for at least so long by the wall clock, once at least, and finds out how many repetitions a measurement needs. */
  void warmUp(double seconds) {
    long start = System.nanoTime();
    do {
      fit(Stretch.seconds(times, work));
    } while ((System.nanoTime() - start) / 1e9 < seconds);
  }

  /** Returns the seconds that one repetition takes, from a measurement that is long enough. */
  double seconds() {
    while (true) {
      int measured = times;
      double taken = Stretch.seconds(measured, work);
      fit(taken);
      if (taken >= minSeconds || measured == MAX_TIMES) {
        return taken / measured;
      }
    }
  }

  private void fit(double taken) {
    double growth = taken <= 0 ? MAX_GROWTH : Math.min(MAX_GROWTH, MARGIN * minSeconds / taken);
    times = (int) Math.max(1, Math.min(MAX_TIMES, Math.ceil(times * growth)));
  }
}
