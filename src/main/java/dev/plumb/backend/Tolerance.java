package dev.plumb.backend;

/**
 * How near is near enough: {@code |actual - expected| <= absolute + relative * |expected|}, both finite. NaN never passes, nor
 * does infinity.
 */
public record Tolerance(double absolute, double relative) {
  /** The error in units of what is allowed: up to 1 is accepted; infinite where a value is not finite. */
  public double units(double actual, double expected) {
    if (!Double.isFinite(actual) || !Double.isFinite(expected)) {
      return Double.POSITIVE_INFINITY;
    }
    double error = Math.abs(actual - expected);
    return error == 0 ? 0 : error / (absolute + relative * Math.abs(expected));
  }
}
