package dev.plumb.study;

import java.util.Arrays;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * Median and quartiles, interpolated linearly between the sorted values, as by default in NumPy. All are NaN without a value.
 *
 * @param low first quartile
 * @param high third quartile
 */
public record Quartiles(double low, double median, double high) {
  private static final Quantile LINEAR = Quantile.withDefaults().with(Quantile.EstimationMethod.HF7);

  /** Returns the quartiles of the values that are not NaN. */
  public static Quartiles of(double[] values) {
    double[] known = Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
    if (known.length == 0) {
      return new Quartiles(Double.NaN, Double.NaN, Double.NaN);
    }
    double[] quartiles = LINEAR.evaluate(known, 0.25, 0.5, 0.75);
    return new Quartiles(quartiles[0], quartiles[1], quartiles[2]);
  }
}
