package dev.plumb.backend.cpu.fp64;

/** The sums of normalizations in plain Java. */
final class PlainMoments implements MomentKernel {
  PlainMoments() {}

  @Override
  public double sum(double[] x, int from, int to) {
    return RowProducts.sum(x, from, to);
  }

  @Override
  public double squares(double[] x, double mean, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int n = from;
    for (; n + 3 < to; n += 4) {
      double d0 = x[n] - mean;
      double d1 = x[n + 1] - mean;
      double d2 = x[n + 2] - mean;
      double d3 = x[n + 3] - mean;
      s0 = Math.fma(d0, d0, s0);
      s1 = Math.fma(d1, d1, s1);
      s2 = Math.fma(d2, d2, s2);
      s3 = Math.fma(d3, d3, s3);
    }
    for (; n < to; n++) {
      s0 = Math.fma(x[n] - mean, x[n] - mean, s0);
    }
    return (s0 + s1) + (s2 + s3);
  }

  @Override
  public double products(double[] g, double[] z, double mean, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int n = from;
    for (; n + 3 < to; n += 4) {
      s0 = Math.fma(g[n], z[n] - mean, s0);
      s1 = Math.fma(g[n + 1], z[n + 1] - mean, s1);
      s2 = Math.fma(g[n + 2], z[n + 2] - mean, s2);
      s3 = Math.fma(g[n + 3], z[n + 3] - mean, s3);
    }
    for (; n < to; n++) {
      s0 = Math.fma(g[n], z[n] - mean, s0);
    }
    return (s0 + s1) + (s2 + s3);
  }
}
