package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Schedule;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Expected figures are from the formulas of PyTorch's schedulers, evaluated by hand at rate 0.1. */
class RateScheduleTest {
  @Test
  void stepScheduleMultipliesTheRateEveryFewEpochs() {
    assertArrayEquals(new double[] {0.1, 0.1, 0.05, 0.05, 0.025}, rates(new Schedule.Step(2, 0.5), 5), 1e-16);
  }

  @Test
  void cosineFallsFromTheRateToTheMinimum() {
    double[] expected = {0.1, 0.01 + 0.09 * (1 + Math.sqrt(0.5)) / 2, 0.055, 0.01 + 0.09 * (1 - Math.sqrt(0.5)) / 2};
    assertArrayEquals(expected, rates(new Schedule.Cosine(0.01), 4), 1e-16);
  }

  @Test
  void exponentialFallsByTheSameFactor() {
    assertArrayEquals(new double[] {0.1, 0.08, 0.064}, rates(new Schedule.Exponential(0.8), 3), 1e-16);
  }

  @Test
  void warmUpRisesStepByStep() {
    RateSchedule rates = new RateSchedule(0.1, Schedule.Constant.DEFAULT, 9, 4);
    double[] drawn = IntStream.range(0, 6).mapToDouble(step -> rates.rate(step / 2, step)).toArray();
    assertArrayEquals(new double[] {0.025, 0.05, 0.075, 0.1, 0.1, 0.1}, drawn, 1e-16);
  }

  /** A relative decrease of less than 1e-4 does not count; after more than two such epochs the rate is halved, down to the minimum. */
  @Test
  void plateauLowersTheRateWhenTheLossDoesNotFall() {
    RateSchedule rates = new RateSchedule(0.1, new Schedule.Plateau(2, 0.5, 0.03), 99, 0);
    double[] losses = {1, 0.99995, 0.99995, 0.99995, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9};
    double[] after = new double[losses.length];
    for (int epoch = 0; epoch < losses.length; epoch++) {
      rates.epochDone(losses[epoch]);
      after[epoch] = rates.rate(epoch + 1, epoch + 1);
    }
    assertArrayEquals(new double[] {0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03}, after, 1e-16);
  }

  @Test
  void plateauContinuesFromItsState() {
    Schedule plateau = new Schedule.Plateau(1, 0.5, 0);
    RateSchedule whole = new RateSchedule(0.1, plateau, 99, 0);
    RateSchedule pieces = new RateSchedule(0.1, plateau, 99, 0);
    for (double loss : new double[] {1, 1, 1, 0.5, 0.6, 0.7, 0.4, 0.4}) {
      whole.epochDone(loss);
      pieces.epochDone(loss);
      RateSchedule next = new RateSchedule(0.1, plateau, 99, 0);
      next.restore(pieces.state());
      pieces = next;
      assertEquals(whole.state(), pieces.state());
    }
  }

  /** Every sum or product that is larger than the largest possible rate overflows. */
  @Test
  void largestRateDoesNotOverflow() {
    double largest = Double.MAX_VALUE;
    for (Schedule schedule : List.of(Schedule.Constant.DEFAULT, Schedule.Cosine.DEFAULT, new Schedule.Cosine(largest),
        Schedule.Step.DEFAULT, Schedule.Exponential.DEFAULT, Schedule.Plateau.DEFAULT)) {
      RateSchedule rates = new RateSchedule(largest, schedule, 10, 50);
      for (int step = 0; step < 100; step++) {
        double rate = rates.rate(step / 10, step);
        assertTrue(rate >= 0 && rate <= largest, schedule + ": " + rate + " in step " + step);
        if (step % 10 == 9) {
          rates.epochDone(1);
        }
      }
    }
    assertEquals(largest / 2, new RateSchedule(largest, Schedule.Constant.DEFAULT, 10, 50).rate(2, 24));
    assertEquals(largest, new RateSchedule(largest, Schedule.Cosine.DEFAULT, 10, 0).rate(0, 0));
  }

  private static double[] rates(Schedule schedule, int epochs) {
    RateSchedule rates = new RateSchedule(0.1, schedule, epochs, 0);
    return IntStream.range(0, epochs).mapToDouble(epoch -> rates.rate(epoch, epoch)).toArray();
  }
}
