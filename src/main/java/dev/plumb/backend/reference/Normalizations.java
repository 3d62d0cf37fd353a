package dev.plumb.backend.reference;

import dev.plumb.model.Normalization;

/**
 * Normalizations of Z [batch][units] and their derivatives, by plain loops. For one group of n values z (a unit over the batch, or a
 * row over the units), with scale s and shift t of each value's unit:
 *
 * <pre>
 *   forward    m = Σ z / n      v = Σ (z - m)² / n      r = 1 / sqrt(v + epsilon)      x = (z - m)·r      h = s·x + t
 *   backward   with g = dLoss/dh:   dt = Σ g      ds = Σ g·x      (both over the batch, per unit)
 *              dLoss/dz = r·(s·g - Σ (s·g) / n - x·Σ (s·g·x) / n)      (sums over the group)
 * </pre>
 *
 * <p>The last line is the derivative through m and v (Ioffe and Szegedy 2015, section 3).
 */
final class Normalizations {
  private Normalizations() {}

  /**
   * The statistics of one layer.
   *
   * @param mean m of each group: [units] of a batch normalization, [batch] of a layer normalization
   * @param variance v, without Bessel's correction, or the running variance
   */
  record Statistics(boolean byUnit, double[] mean, double[] variance) {
    private int group(int i, int unit) {
      return byUnit ? unit : i;
    }

    /** Returns r of the group of an element. */
    double inverse(int i, int unit) {
      return 1 / Math.sqrt(variance[group(i, unit)] + Normalization.EPSILON);
    }

    /** Returns x of an element. */
    double standardized(double[][] z, int i, int unit) {
      return (z[i][unit] - mean[group(i, unit)]) * inverse(i, unit);
    }
  }

  /** Returns the statistics of Z. */
  static Statistics of(Normalization normalization, double[][] z) {
    boolean byUnit = normalization == Normalization.BATCH;
    int groups = byUnit ? z[0].length : z.length;
    int size = byUnit ? z.length : z[0].length;
    double[] mean = new double[groups];
    double[] variance = new double[groups];
    for (int group = 0; group < groups; group++) {
      for (int k = 0; k < size; k++) {
        mean[group] += byUnit ? z[k][group] : z[group][k];
      }
      mean[group] /= size;
      for (int k = 0; k < size; k++) {
        double difference = (byUnit ? z[k][group] : z[group][k]) - mean[group];
        variance[group] += difference * difference;
      }
      variance[group] /= size;
    }
    return new Statistics(byUnit, mean, variance);
  }

  /** Returns dLoss/dZ from G = dLoss/dH, both [batch][units]; scale is s [units]. */
  static double[][] backward(Statistics statistics, double[][] z, double[][] g, double[] scale) {
    int batch = z.length;
    int units = z[0].length;
    int groups = statistics.byUnit() ? units : batch;
    int size = statistics.byUnit() ? batch : units;
    double[][] delta = new double[batch][units];
    for (int group = 0; group < groups; group++) {
      double sum = 0;
      double sumWithX = 0;
      for (int k = 0; k < size; k++) {
        int i = statistics.byUnit() ? k : group;
        int unit = statistics.byUnit() ? group : k;
        sum += scale[unit] * g[i][unit];
        sumWithX += scale[unit] * g[i][unit] * statistics.standardized(z, i, unit);
      }
      for (int k = 0; k < size; k++) {
        int i = statistics.byUnit() ? k : group;
        int unit = statistics.byUnit() ? group : k;
        delta[i][unit] = statistics.inverse(i, unit)
            * (scale[unit] * g[i][unit] - sum / size - statistics.standardized(z, i, unit) * sumWithX / size);
      }
    }
    return delta;
  }
}
