package dev.plumb.backend.cpu.fp64;

/**
 * The sums of normalizations over a unit's samples, at indices from..to - 1, few enough for the accuracy of sums in single
 * precision. C2 does not vectorize such sums in plain Java.
 */
interface MomentKernel {
  /** Returns Σ x. */
  double sum(double[] x, int from, int to);

  /** Returns Σ (x - mean)². */
  double squares(double[] x, double mean, int from, int to);

  /** Returns Σ g·(z - mean). */
  double products(double[] g, double[] z, double mean, int from, int to);
}
