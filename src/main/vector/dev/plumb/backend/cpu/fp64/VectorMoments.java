package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/** The sums of normalizations with the Vector API, in the lanes of four vectors. Used by one thread at a time, for its scratch memory. */
final class VectorMoments implements MomentKernel {
  private static final VectorSpecies<Double> SPECIES = VectorTile.SPECIES;
  private static final int LANES = SPECIES.length();

  private final double[] lanes = new double[LANES];

  VectorMoments() {}

  @Override
  public double sum(double[] x, int from, int to) {
    DoubleVector s0 = DoubleVector.zero(SPECIES);
    DoubleVector s1 = s0;
    DoubleVector s2 = s0;
    DoubleVector s3 = s0;
    int n = from;
    for (; n + 4 * LANES <= to; n += 4 * LANES) {
      s0 = s0.add(DoubleVector.fromArray(SPECIES, x, n));
      s1 = s1.add(DoubleVector.fromArray(SPECIES, x, n + LANES));
      s2 = s2.add(DoubleVector.fromArray(SPECIES, x, n + 2 * LANES));
      s3 = s3.add(DoubleVector.fromArray(SPECIES, x, n + 3 * LANES));
    }
    for (; n + LANES <= to; n += LANES) {
      s0 = s0.add(DoubleVector.fromArray(SPECIES, x, n));
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    double sum = LaneSum.of(lanes, 0);
    for (; n < to; n++) {
      sum += x[n];
    }
    return sum;
  }

  @Override
  public double squares(double[] x, double mean, int from, int to) {
    DoubleVector s0 = DoubleVector.zero(SPECIES);
    DoubleVector s1 = s0;
    DoubleVector s2 = s0;
    DoubleVector s3 = s0;
    int n = from;
    for (; n + 4 * LANES <= to; n += 4 * LANES) {
      DoubleVector d0 = DoubleVector.fromArray(SPECIES, x, n).sub(mean);
      DoubleVector d1 = DoubleVector.fromArray(SPECIES, x, n + LANES).sub(mean);
      DoubleVector d2 = DoubleVector.fromArray(SPECIES, x, n + 2 * LANES).sub(mean);
      DoubleVector d3 = DoubleVector.fromArray(SPECIES, x, n + 3 * LANES).sub(mean);
      s0 = d0.fma(d0, s0);
      s1 = d1.fma(d1, s1);
      s2 = d2.fma(d2, s2);
      s3 = d3.fma(d3, s3);
    }
    for (; n + LANES <= to; n += LANES) {
      DoubleVector d = DoubleVector.fromArray(SPECIES, x, n).sub(mean);
      s0 = d.fma(d, s0);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    double sum = LaneSum.of(lanes, 0);
    for (; n < to; n++) {
      sum = Math.fma(x[n] - mean, x[n] - mean, sum);
    }
    return sum;
  }

  @Override
  public double products(double[] g, double[] z, double mean, int from, int to) {
    DoubleVector s0 = DoubleVector.zero(SPECIES);
    DoubleVector s1 = s0;
    DoubleVector s2 = s0;
    DoubleVector s3 = s0;
    int n = from;
    for (; n + 4 * LANES <= to; n += 4 * LANES) {
      s0 = DoubleVector.fromArray(SPECIES, g, n).fma(DoubleVector.fromArray(SPECIES, z, n).sub(mean), s0);
      s1 = DoubleVector.fromArray(SPECIES, g, n + LANES).fma(DoubleVector.fromArray(SPECIES, z, n + LANES).sub(mean), s1);
      s2 = DoubleVector.fromArray(SPECIES, g, n + 2 * LANES).fma(DoubleVector.fromArray(SPECIES, z, n + 2 * LANES).sub(mean), s2);
      s3 = DoubleVector.fromArray(SPECIES, g, n + 3 * LANES).fma(DoubleVector.fromArray(SPECIES, z, n + 3 * LANES).sub(mean), s3);
    }
    for (; n + LANES <= to; n += LANES) {
      s0 = DoubleVector.fromArray(SPECIES, g, n).fma(DoubleVector.fromArray(SPECIES, z, n).sub(mean), s0);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    double sum = LaneSum.of(lanes, 0);
    for (; n < to; n++) {
      sum = Math.fma(g[n], z[n] - mean, sum);
    }
    return sum;
  }
}
