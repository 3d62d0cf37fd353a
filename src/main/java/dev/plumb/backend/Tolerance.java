package dev.plumb.backend;

/**
 * An error bound with an absolute and a relative part: {@code |actual - expected| <= absolute + relative * |expected|}. NaN and
 * infinity are never within it.
 */
public record Tolerance(double absolute, double relative) {
  /** Returns the error divided by the bound: values up to 1 are accepted; infinite when a value is not finite. */
  public double units(double actual, double expected) {
    if (!Double.isFinite(actual) || !Double.isFinite(expected)) {
      return Double.POSITIVE_INFINITY;
    }
    double error = Math.abs(actual - expected);
    return error == 0 ? 0 : error / (absolute + relative * Math.abs(expected));
  }
}
