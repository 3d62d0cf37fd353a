package dev.plumb.bench;

import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/** A short CPU operation, repeated long enough to be timed well. Before every measurement the processor rests. */
final class TimedLoop {
  /**
   * Longer than OpenBLAS's own threads spin after a product; Plumb's own threads sleep sooner. Measured: 40 ms after a product,
   * two threads trained W2 at 48,000 samples/s, after 80 ms at 55,000, after 120 ms at 58,000, as fast as without the product.
   */
  private static final long REST_NANOS = 120_000_000;

  private static final int MAX_REPETITIONS = 1 << 28;

  private final IntConsumer work;
  private final double targetSeconds;
  private int repetitions;

  /**
   * @param work performs the operation the given number of times
   * @param targetSeconds approximate duration of a measurement
   */
  TimedLoop(IntConsumer work, double targetSeconds) {
    this.work = work;
    this.targetSeconds = targetSeconds;
  }

  /** Returns the seconds per operation. The first call also warms the operation up, to find the number of repetitions. */
  double seconds() {
    if (repetitions == 0) {
      double elapsed = 0;
      for (repetitions = 1; elapsed < targetSeconds / 4 && repetitions < MAX_REPETITIONS; repetitions *= 2) {
        elapsed = seconds(repetitions, work);
      }
    }
    rest();
    double perOperation = seconds(repetitions, work) / repetitions;
    repetitions = (int) Math.max(1, Math.min(MAX_REPETITIONS, Math.round(targetSeconds / perOperation)));
    return perOperation;
  }

  /** Returns the seconds that the work takes with the given number of repetitions. */
  static double seconds(int repetitions, IntConsumer work) {
    long start = System.nanoTime();
    work.accept(repetitions);
    return (System.nanoTime() - start) / 1e9;
  }

  /** Sleeps until threads that spin for a while after their work are asleep and cannot disturb the next measurement. */
  static void rest() {
    LockSupport.parkNanos(REST_NANOS);
  }

  /**
   * An operation repeated back to back for at least a given time, without a rest between measurements: a GPU's clocks rise under
   * load and fall when it is idle.
   */
  static final class Continuous {
    /** The largest factor from one number of repetitions to the next: the first ones are slow and would mislead. */
    private static final double MAX_GROWTH = 16;
    /** Extra repetitions, so that a slightly faster measurement is still long enough. */
    private static final double MARGIN = 1.1;

    private final IntConsumer work;
    private final double minSeconds;
    private int repetitions = 1;

    /**
     * @param work performs the operation the given number of times and waits for all of them
     * @param minSeconds minimum duration of a measurement
     */
    Continuous(IntConsumer work, double minSeconds) {
      this.work = work;
      this.minSeconds = minSeconds;
    }

    /** Works for at least the given time by the wall clock, at least once, and finds the number of repetitions. */
    void warmUp(double seconds) {
      long start = System.nanoTime();
      do {
        adjust(TimedLoop.seconds(repetitions, work));
      } while ((System.nanoTime() - start) / 1e9 < seconds);
    }

    /** Returns the seconds per operation, from the first measurement that is long enough. */
    double seconds() {
      while (true) {
        int measured = repetitions;
        double elapsed = TimedLoop.seconds(measured, work);
        adjust(elapsed);
        if (elapsed >= minSeconds || measured == MAX_REPETITIONS) {
          return elapsed / measured;
        }
      }
    }

    private void adjust(double elapsed) {
      double growth = elapsed <= 0 ? MAX_GROWTH : Math.min(MAX_GROWTH, MARGIN * minSeconds / elapsed);
      repetitions = (int) Math.max(1, Math.min(MAX_REPETITIONS, Math.ceil(repetitions * growth)));
    }
  }
}
