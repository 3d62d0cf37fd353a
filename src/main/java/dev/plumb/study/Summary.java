package dev.plumb.study;

import java.util.Arrays;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * Mean, sample standard deviation and 95 % confidence interval of the mean, by Student's t distribution. The interval is exact for
 * independent, normally distributed values. Scores of folds are not independent, because the folds share training rows: their
 * interval is too narrow.
 *
 * @param count number of values
 * @param mean NaN without a value
 * @param deviation the square root of Σ(x - mean)² / (count - 1); NaN for fewer than two values
 * @param low lower limit of the interval; NaN for fewer than two values
 * @param high upper limit of the interval; NaN for fewer than two values
 */
public record Summary(int count, double mean, double deviation, double low, double high) {
  private static final double UPPER_PROBABILITY = 0.975;

  /** Summarizes the values that are not NaN. */
  public static Summary of(double[] values) {
    double[] known = Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
    int count = known.length;
    if (count == 0) {
      return new Summary(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
    }
    double mean = Arrays.stream(known).sum() / count;
    if (count == 1) {
      return new Summary(1, mean, Double.NaN, Double.NaN, Double.NaN);
    }
    double squares = Arrays.stream(known).map(value -> (value - mean) * (value - mean)).sum();
    return of(count, mean, Math.sqrt(squares / (count - 1)));
  }

  /**
   * Returns the summary of values whose mean and sample standard deviation are known.
   *
   * @param count number of values, at least 2
   */
  public static Summary of(int count, double mean, double deviation) {
    double half = TDistribution.of(count - 1).inverseCumulativeProbability(UPPER_PROBABILITY) * deviation / Math.sqrt(count);
    return new Summary(count, mean, deviation, mean - half, mean + half);
  }

  /** Returns the summary with its interval cut at the limits of the values' range: an accuracy is at most 1. */
  public Summary within(double min, double max) {
    return new Summary(count, mean, deviation, Math.max(min, low), Math.min(max, high));
  }
}
