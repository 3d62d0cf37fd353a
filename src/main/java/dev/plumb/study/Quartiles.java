package dev.plumb.study;

import java.util.Arrays;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * The middle of some values, linear between the sorted ones, as NumPy has it by default.
 *
 * @param low a quarter of the values lies below; NaN, as the others, where there is no value
 * @param high a quarter lies above
 */
public record Quartiles(double low, double median, double high) {
  private static final Quantile LINEAR = Quantile.withDefaults().with(Quantile.EstimationMethod.HF7);

  /** Of those that are numbers. */
  public static Quartiles of(double[] values) {
    double[] known = Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
    if (known.length == 0) {
      return new Quartiles(Double.NaN, Double.NaN, Double.NaN);
    }
    double[] quartiles = LINEAR.evaluate(known, 0.25, 0.5, 0.75);
    return new Quartiles(quartiles[0], quartiles[1], quartiles[2]);
  }
}
