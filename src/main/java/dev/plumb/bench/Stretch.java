package dev.plumb.bench;

import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/** Something short that is done again and again, for as long as a clock needs to measure it well. */
final class Stretch {
  /**
   * Longer than OpenBLAS's own threads stay awake after a product; a team's sleep sooner. Measured: 40 ms after one, two threads
   * trained W2 at 48,000 samples/s, after 80 ms at 55,000, after 120 ms at 58,000, and so if there had been none.
   */
  private static final long REST_NANOS = 120_000_000;

  private final IntConsumer work;
  private final double about;
  private int times;

  /**
   * @param work does it so many times
   * @param about how long it should go on, in seconds
   */
  Stretch(IntConsumer work, double about) {
    this.work = work;
    this.about = about;
  }

  /** Seconds that it takes once. The first call finds out how often it fits, which warms it up as well. */
  double seconds() {
    if (times == 0) {
      double taken = 0;
      for (times = 1; taken < about / 4 && times < 1 << 28; times *= 2) {
        taken = seconds(times, work);
      }
    }
    rest();
    double once = seconds(times, work) / times;
    times = (int) Math.max(1, Math.min(1 << 28, Math.round(about / once)));
    return once;
  }

  static double seconds(int times, IntConsumer work) {
    long start = System.nanoTime();
    work.accept(times);
    return (System.nanoTime() - start) / 1e9;
  }

  /** Lets threads fall asleep that stay awake for a while after their work and would disturb what comes next. */
  static void rest() {
    LockSupport.parkNanos(REST_NANOS);
  }
}
