package dev.plumb.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The residuals (true value - predicted value) of a number by its prediction: rows are sorted by prediction and cut into groups of
 * equal size. Weights of rows do not count. Rows with a value that is not finite are left out.
 *
 * @param groups in ascending order of predictions; at most {@value #GROUPS}, empty if there are no rows
 */
public record Residuals(List<Group> groups) {
  /** The maximum number of groups. */
  public static final int GROUPS = 10;

  private static final double[] QUANTILES = {0.05, 0.25, 0.5, 0.75, 0.95};

  /**
   * A group of rows.
   *
   * @param rows number of rows; two groups differ by at most one row
   * @param low the lowest prediction
   * @param high the highest prediction
   * @param meanPrediction the mean prediction
   * @param quantiles of the residuals, at {@link #levels}, interpolated linearly as {@code numpy.quantile} does
   */
  public record Group(int rows, double low, double high, double meanPrediction, List<Double> quantiles) {
    public Group {
      quantiles = List.copyOf(quantiles);
    }
  }

  public Residuals {
    groups = List.copyOf(groups);
  }

  /** Returns the levels of the quantiles: 0.05, 0.25, 0.5, 0.75 and 0.95. */
  public static double[] levels() {
    return QUANTILES.clone();
  }

  /**
   * Computes the residuals. Rows of equal prediction stay in their order.
   *
   * @param truth [rows]
   * @param predicted [rows]
   */
  public static Residuals of(double[] truth, double[] predicted) {
    // Adding 0 makes -0 equal to 0, which sorting would tell apart.
    int[] order = IntStream.range(0, truth.length).filter(row -> Double.isFinite(truth[row]) && Double.isFinite(predicted[row]))
        .boxed().sorted(Comparator.comparingDouble(row -> predicted[row] + 0.0)).mapToInt(Integer::intValue).toArray();
    int count = Math.min(GROUPS, order.length);
    List<Group> groups = new ArrayList<>();
    for (int group = 0; group < count; group++) {
      int[] rows = Arrays.copyOfRange(order, (int) ((long) group * order.length / count), (int) ((group + 1L) * order.length / count));
      double[] residuals = Arrays.stream(rows).mapToDouble(row -> truth[row] - predicted[row]).sorted().toArray();
      groups.add(new Group(rows.length, predicted[rows[0]], predicted[rows[rows.length - 1]],
          Arrays.stream(rows).mapToDouble(row -> predicted[row]).average().orElseThrow(),
          Arrays.stream(QUANTILES).mapToObj(level -> quantile(residuals, level)).toList()));
    }
    return new Residuals(groups);
  }

  private static double quantile(double[] sorted, double level) {
    double at = level * (sorted.length - 1);
    int below = (int) at;
    double fraction = at - below;
    return fraction == 0 ? sorted[below] : sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
  }
}
