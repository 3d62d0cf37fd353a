package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitTest {
  @Test
  void everyRowIsInOnePartAndTheirSizesFollowTheFraction() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int rows = 2 + random.nextInt(300);
      double fraction = random.nextDouble();
      Split split = Split.of(rows, fraction, new NumpyRandom(seed), null);
      String where = "seed " + seed;
      assertArrayEquals(IntStream.range(0, rows).toArray(),
          IntStream.concat(Arrays.stream(split.training()), Arrays.stream(split.validation())).sorted().toArray(), where);
      assertArrayEquals(Arrays.stream(split.training()).sorted().toArray(), split.training(), where);
      assertArrayEquals(Arrays.stream(split.validation()).sorted().toArray(), split.validation(), where);
      assertEquals(Math.min(rows - 1, Math.max(1, Math.round(rows * fraction))), split.validation().length, where);
    }
  }

  @Test
  void eachClassKeepsItsProportion() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int classes = 2 + random.nextInt(6);
      int rows = 50 + random.nextInt(300);
      int[] labels = random.ints(rows, 0, classes).map(label -> random.nextInt(label + 1)).toArray();
      double fraction = 0.05 + 0.9 * random.nextDouble();
      Split split = Split.of(rows, fraction, new NumpyRandom(seed), labels);
      String where = "seed " + seed;
      assertArrayEquals(IntStream.range(0, rows).toArray(),
          IntStream.concat(Arrays.stream(split.training()), Arrays.stream(split.validation())).sorted().toArray(), where);
      double share = (double) split.validation().length / rows;
      for (int c = 0; c < classes; c++) {
        int label = c;
        long all = Arrays.stream(labels).filter(l -> l == label).count();
        long held = Arrays.stream(split.validation()).filter(row -> labels[row] == label).count();
        assertTrue(all == 0 || held < all, where + ": nothing of class " + c + " is left to train on");
        assertTrue(Math.abs(held - all * share) < 1.5, where + ": " + held + " of " + all + " rows of class " + c);
      }
      assertTrue(Math.abs(split.validation().length - rows * fraction) <= classes, where);
    }
  }

  @Test
  void proportionsThatComeOutEvenAreExact() {
    int[] labels = IntStream.range(0, 150).map(row -> row / 50).toArray();
    int[] held = Split.of(150, 0.2, new NumpyRandom(0), labels).validation();
    assertArrayEquals(new long[] {10, 10, 10},
        IntStream.range(0, 3).mapToLong(label -> Arrays.stream(held).filter(row -> labels[row] == label).count()).toArray());
  }

  @Test
  void theFirstRowsOfOnePermutationAreHeldOut() {
    int[] order = new NumpyRandom(9).permutation(10);
    NumpyRandom stream = new NumpyRandom(9);
    assertArrayEquals(Arrays.stream(order, 0, 3).sorted().toArray(), Split.of(10, 0.3, stream, null).validation());
    NumpyRandom other = new NumpyRandom(9);
    other.permutation(10);
    assertEquals(other.randomSample(), stream.randomSample());
  }

  @Test
  void withoutAValidationPartNothingIsDrawn() {
    NumpyRandom stream = new NumpyRandom(9);
    Split split = Split.of(3, 0, stream, null);
    assertArrayEquals(new int[] {0, 1, 2}, split.training());
    assertEquals(0, split.validation().length);
    assertEquals(new NumpyRandom(9).randomSample(), stream.randomSample());
  }

  @Test
  void theOnlyRowOfAClassIsTrainedOn() {
    int[] labels = {0, 1, 0, 0, 2, 0, 0, 0};
    for (long seed = 0; seed < 50; seed++) {
      Split split = Split.of(8, 0.5, new NumpyRandom(seed), labels);
      assertEquals(4, split.validation().length);
      assertTrue(Arrays.stream(split.validation()).allMatch(row -> labels[row] == 0), "seed " + seed);
    }
  }

  @Test
  void impossibleSplitsAreRefused() {
    assertRefused("a table of 1 row cannot be split into training and validation; at least two rows are needed", () ->
        Split.of(1, 0.2, new NumpyRandom(0), null));
    assertRefused("validation fraction 1.0 must be at least 0 and below 1", () ->
        Split.of(9, 1, new NumpyRandom(0), null));
    assertRefused("validation fraction NaN must be at least 0 and below 1", () ->
        Split.of(9, Double.NaN, new NumpyRandom(0), null));
    assertRefused("no class has two rows, so none can be held out for validation", () ->
        Split.of(3, 0.3, new NumpyRandom(0), new int[] {0, 1, 2}));
  }
}
