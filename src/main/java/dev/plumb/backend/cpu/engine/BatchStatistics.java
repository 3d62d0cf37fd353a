package dev.plumb.backend.cpu.engine;

import dev.plumb.model.Normalization;

/**
 * Statistics of a batch normalization, of each unit over the samples, and the sums of its gradients, in double for both
 * precisions. Threads may use different units at the same time.
 */
public final class BatchStatistics {
  private final double[] mean;
  /** Without Bessel's correction. */
  private final double[] variance;
  private final double[] scaleGradient;
  private final double[] shiftGradient;

  /** @param units number of units of the layer */
  public BatchStatistics(int units) {
    mean = new double[units];
    variance = new double[units];
    scaleGradient = new double[units];
    shiftGradient = new double[units];
  }

  /** Sets mean and variance of a unit to 0. */
  public void reset(int unit) {
    mean[unit] = 0;
    variance[unit] = 0;
  }

  /** Adds the sum of some of a unit's values. */
  public void addSum(int unit, double sum, int samples) {
    mean[unit] += sum / samples;
  }

  /** Adds the sum of squared differences from the mean of some of a unit's values. */
  public void addSquares(int unit, double squares, int samples) {
    variance[unit] += squares / samples;
  }

  /** Returns the mean of a unit. */
  public double mean(int unit) {
    return mean[unit];
  }

  /** Returns 1 / sqrt(variance + epsilon) of a unit; NaN for a variance that is not finite. */
  public double inverse(int unit) {
    return 1 / Math.sqrt(variance[unit] + Normalization.EPSILON) + 0 * variance[unit];
  }

  /** Returns the running mean after this batch. */
  public double runningMean(int unit, double before) {
    return (1 - Normalization.MOMENTUM) * before + Normalization.MOMENTUM * mean[unit];
  }

  /** Returns the running variance after this batch, to which the batch's variance is added with Bessel's correction. */
  public double runningVariance(int unit, double before, int samples) {
    return (1 - Normalization.MOMENTUM) * before + Normalization.MOMENTUM * (variance[unit] * samples / (samples - 1));
  }

  /** Sets the gradients of a unit to 0. */
  public void resetGradients(int unit) {
    scaleGradient[unit] = 0;
    shiftGradient[unit] = 0;
  }

  /**
   * Adds sums over some of a unit's samples.
   *
   * @param sum Σ g, where g is the gradient of the loss with respect to the normalized values
   * @param products Σ g·(z - mean)
   */
  public void addGradients(int unit, double sum, double products) {
    shiftGradient[unit] += sum;
    scaleGradient[unit] += products * inverse(unit);
  }

  /** Returns the gradient of the loss with respect to a unit's scale. */
  public double scaleGradient(int unit) {
    return scaleGradient[unit];
  }

  /** Returns the gradient of the loss with respect to a unit's shift. */
  public double shiftGradient(int unit) {
    return shiftGradient[unit];
  }

  /** Returns the size of its arrays, in bytes. */
  public long bytes() {
    return 4L * Double.BYTES * mean.length;
  }
}
