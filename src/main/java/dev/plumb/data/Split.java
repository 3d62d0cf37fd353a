package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which rows are trained on and which are held back, each in ascending order; every row is in one of them.
 *
 * <p>One {@code permutation(rows)} is drawn: the first round(rows x fraction) of it are held back. With classes, the first so
 * many of each class are: the fraction of its rows, rounded so that they add up to the same number (largest remainders first),
 * but never the last row of a class.
 */
public record Split(int[] training, int[] validation) {
  /**
   * @param fraction of the rows that is held back, from 0 to less than 1; 0 draws nothing
   * @param labels the class of each row, from 0, to hold back each class in proportion; or null
   * @throws InvalidInputException when nothing would be left to train on
   */
  public static Split of(int rows, double fraction, NumpyRandom stream, int[] labels) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new InvalidInputException(
          "a validation part of " + fraction + " cannot be held back; it must be at least 0 and less than 1");
    }
    if (fraction == 0) {
      return new Split(IntStream.range(0, rows).toArray(), new int[0]);
    }
    if (rows < 2) {
      throw new InvalidInputException("a table of " + rows + (rows == 1 ? " row" : " rows")
          + " cannot be split into training and validation; two rows are the least");
    }
    int held = Math.min(rows - 1, Math.max(1, (int) Math.round(rows * fraction)));
    int[] order = stream.permutation(rows);
    int[] classes = labels == null ? new int[rows] : labels;
    int[] left = shares(classes, held);
    if (Arrays.stream(left).sum() == 0) {
      throw new InvalidInputException("no class has two rows, so that none can be held back for validation");
    }
    boolean[] isHeld = new boolean[rows];
    for (int row : order) {
      isHeld[row] = left[classes[row]]-- > 0;
    }
    return new Split(IntStream.range(0, rows).filter(row -> !isHeld[row]).toArray(),
        IntStream.range(0, rows).filter(row -> isHeld[row]).toArray());
  }

  /** How many rows of each class are held back: in proportion, but never the last one of a class. */
  private static int[] shares(int[] classes, int held) {
    int[] counts = new int[Arrays.stream(classes).max().orElse(0) + 1];
    for (int label : classes) {
      counts[label]++;
    }
    int[] shares = new int[counts.length];
    double[] remainders = new double[counts.length];
    for (int label = 0; label < counts.length; label++) {
      double exact = (double) counts[label] * held / classes.length;
      shares[label] = Math.min((int) exact, Math.max(0, counts[label] - 1));
      remainders[label] = exact - shares[label];
    }
    int open = held - Arrays.stream(shares).sum();
    int[] byRemainder = IntStream.range(0, counts.length).boxed()
        .sorted(Comparator.comparingDouble((Integer label) -> -remainders[label])).mapToInt(Integer::intValue).toArray();
    for (int label : byRemainder) {
      if (open > 0 && shares[label] < counts[label] - 1) {
        shares[label]++;
        open--;
      }
    }
    return shares;
  }
}
