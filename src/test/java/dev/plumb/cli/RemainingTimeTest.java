package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** The estimate on a simulated clock: whenever it is shown, it is right within a factor of two. */
class RemainingTimeTest {
  private long now;

  /**
   * Runs work of 1000 units in steps.
   *
   * @param seconds returns the duration of one unit after a number of seconds
   * @param stepUnits units between two reports
   * @return the proportion of the reports that had an estimate
   */
  private double run(DoubleUnaryOperator seconds, int stepUnits) {
    int units = 1000;
    double[] ends = new double[units];
    double elapsed = 0;
    for (int i = 0; i < units; i++) {
      elapsed += seconds.applyAsDouble(elapsed);
      ends[i] = elapsed;
    }
    now = 0;
    RemainingTime remaining = new RemainingTime(0, units, () -> now);
    int reports = 0;
    int shown = 0;
    for (int done = stepUnits; done < units; done += stepUnits) {
      now = (long) (1e9 * ends[done - 1]);
      remaining.done(done);
      OptionalDouble estimate = remaining.seconds();
      reports++;
      if (estimate.isPresent()) {
        shown++;
        double left = elapsed - ends[done - 1];
        // Within the last second the rounding to whole seconds hides the error.
        assertTrue(estimate.getAsDouble() <= 2 * left + 0.5 && estimate.getAsDouble() >= left / 2 - 0.5,
            "after " + ends[done - 1] + " s: " + estimate.getAsDouble() + " s instead of " + left);
      }
    }
    return shown / (double) reports;
  }

  @Test
  void slowFirstSecondsDoNotCount() {
    double shown = run(elapsed -> elapsed < 1.5 ? 0.05 : 0.01, 1);
    assertTrue(shown > 0.5, "shown " + shown);
    assertTrue(run(elapsed -> 0.01 * (1 + 20 * Math.exp(-elapsed)), 1) > 0.5);
  }

  @Test
  void estimateOfAnEvenSpeedIsShownSoon() {
    assertTrue(run(elapsed -> 0.01, 1) > 0.75);
    assertTrue(run(elapsed -> 100, 1) > 0.99, "epochs of minutes");
  }

  @Test
  void noisySpeedAndRareReportsAreEstimated() {
    Random random = new Random(1);
    assertTrue(run(elapsed -> 0.01 * (0.5 + random.nextDouble()), 1) > 0.5);
    assertTrue(run(elapsed -> 0.01, 50) > 0.5);
    assertTrue(run(elapsed -> 0.01 + (random.nextInt(10) == 0 ? 0.05 : 0), 7) > 0.5);
  }

  @Test
  void speedThatStillChangesIsNotEstimated() {
    now = 0;
    RemainingTime remaining = new RemainingTime(0, 1000, () -> now);
    for (int i = 1; i <= 30; i++) {
      now = (long) (1e9 * 3 * (1 - Math.pow(0.8, i)));
      remaining.done(i);
    }
    assertEquals(OptionalDouble.empty(), remaining.seconds());
  }

  @Test
  void nothingIsShownAtFirstOrWithoutProgress() {
    RemainingTime remaining = new RemainingTime(0, 10, () -> now);
    assertEquals(OptionalDouble.empty(), remaining.seconds());
    now = 1_000_000_000;
    remaining.done(9);
    assertEquals(OptionalDouble.empty(), remaining.seconds());
    now = 100_000_000_000L;
    remaining.done(9);
    assertEquals(OptionalDouble.empty(), remaining.seconds());
  }

  @Test
  void workDoneBeforeIsNoSpeed() {
    RemainingTime remaining = new RemainingTime(900, 1000, () -> now);
    for (int i = 1; i <= 50; i++) {
      now = i * 1_000_000_000L;
      remaining.done(900 + i);
    }
    assertEquals(50, remaining.seconds().getAsDouble(), 1e-6);
  }
}
