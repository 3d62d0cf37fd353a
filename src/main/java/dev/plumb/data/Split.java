package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Split of rows into training and validation rows; every row is in one of them.
 *
 * <p>One {@code permutation(rows)} is drawn, of which the first round(rows x fraction) rows are held out. With classes, the split
 * is stratified: of each class the first rows are held out, in number the fraction of its rows, rounded so that they add up to
 * the same total (largest remainders first), but never the last row of a class.
 *
 * @param training row indices in ascending order
 * @param validation row indices of the held-out rows in ascending order
 */
public record Split(int[] training, int[] validation) {
  /**
   * Draws a split.
   *
   * @param rows number of rows
   * @param fraction of the rows to hold out, at least 0 and below 1; 0 draws nothing
   * @param stream of random numbers
   * @param labels class of each row, from 0, for a stratified split; or null
   * @return the split
   * @throws InvalidInputException when the fraction is out of range or the rows cannot be split
   */
  public static Split of(int rows, double fraction, NumpyRandom stream, int[] labels) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new InvalidInputException(
          "validation fraction " + fraction + " must be at least 0 and below 1");
    }
    if (fraction == 0) {
      return new Split(IntStream.range(0, rows).toArray(), new int[0]);
    }
    if (rows < 2) {
      throw new InvalidInputException("a table of " + rows + (rows == 1 ? " row" : " rows")
          + " cannot be split into training and validation; at least two rows are needed");
    }
    int held = Math.min(rows - 1, Math.max(1, (int) Math.round(rows * fraction)));
    int[] order = stream.permutation(rows);
    int[] classes = labels == null ? new int[rows] : labels;
    int[] heldOut = heldOutCounts(classes, held);
    if (Arrays.stream(heldOut).sum() == 0) {
      throw new InvalidInputException("no class has two rows, so none can be held out for validation");
    }
    boolean[] isHeld = new boolean[rows];
    for (int row : order) {
      isHeld[row] = heldOut[classes[row]]-- > 0;
    }
    return new Split(IntStream.range(0, rows).filter(row -> !isHeld[row]).toArray(),
        IntStream.range(0, rows).filter(row -> isHeld[row]).toArray());
  }

  /** Returns the number of held-out rows per class: in proportion, but never the last row of a class. */
  private static int[] heldOutCounts(int[] classes, int held) {
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
