package dev.plumb.train;

import java.util.List;

/**
 * A reliability diagram: predicted probabilities in bins, each compared with the observed frequency. For two classes it is that of
 * the second class's probability, as in scikit-learn's {@code calibration_curve}; for several classes it is that of the predicted
 * class's probability, its confidence.
 *
 * @param bins of equal width from 0 to 1, ascending. A bin contains its upper limit but not its lower one, except that the first
 *     contains 0.
 */
public record Reliability(List<Bin> bins) {
  /** The number of bins. */
  public static final int BINS = 10;

  /**
   * A bin.
   *
   * @param low its lower limit
   * @param high its upper limit
   * @param rows number of rows in it
   * @param weight sum of their weights, which is their number without weights
   * @param meanProbability their mean predicted probability, weighted; NaN in an empty bin
   * @param observed the proportion of them that belong to the class, weighted; NaN in an empty bin
   */
  public record Bin(double low, double high, long rows, double weight, double meanProbability, double observed) {}

  public Reliability {
    bins = List.copyOf(bins);
  }

  /**
   * Returns the expected calibration error: the mean of |mean probability - observed frequency| over the bins, weighted by the
   * weights of their rows. Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, 2015.
   */
  public double expectedCalibrationError() {
    double sum = 0;
    double total = 0;
    for (Bin bin : bins) {
      if (bin.weight() > 0) {
        sum += bin.weight() * Math.abs(bin.meanProbability() - bin.observed());
        total += bin.weight();
      }
    }
    return sum / total;
  }

  /** Returns the lower limit of a bin, as {@code numpy.linspace} computes it. */
  static double limit(int bin) {
    return bin == BINS ? 1 : bin * (1.0 / BINS);
  }
}
