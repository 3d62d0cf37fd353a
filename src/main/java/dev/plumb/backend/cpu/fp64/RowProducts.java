package dev.plumb.backend.cpu.fp64;

/**
 * The three products of a narrow dense layer over rows [units][samples], one row per unit. For such layers, a GEMM would spend
 * more time on packing than on arithmetic.
 *
 * <p>C2 vectorizes a loop over samples if its body writes one array, reads few arrays, and indexes all of them by the loop
 * variable only. Hence one Java array per unit, four inputs at a time, and many small methods. C2 does not vectorize sums over
 * samples: there, 2 x 2 sums, separate for even and odd samples, keep both multipliers busy with the 16 registers of x86-64.
 *
 * <p>All methods process samples from..to - 1. Sums are added to previous values, so a batch can be processed in blocks.
 */
final class RowProducts {
  private RowProducts() {}

  /**
   * Computes z = b + W·a, the row of one unit.
   *
   * @param a [inputs][samples]
   * @param weights contains the unit's weights [inputs] from index w on, with the given stride
   */
  static void row(
      double[] z, double[][] a, int inputs, double[] weights, int w, int stride, double bias, int from, int to) {
    switch (inputs) {
      case 1 -> {
        first(z, a[0], weights[w], bias, from, to);
        return;
      }
      case 2 -> {
        first(z, a[0], a[1], weights[w], weights[w + stride], bias, from, to);
        return;
      }
      case 3 -> {
        first(z, a[0], a[1], a[2], weights[w], weights[w + stride], weights[w + 2 * stride], bias, from, to);
        return;
      }
      default -> first(z, a[0], a[1], a[2], a[3],
          weights[w], weights[w + stride], weights[w + 2 * stride], weights[w + 3 * stride], bias, from, to);
    }
    addRow(z, a, 4, inputs, weights, w, stride, from, to);
  }

  /** Computes z += W·a, the row of one unit; arguments as for {@link #row}. */
  static void addRow(double[] z, double[][] a, int inputs, double[] weights, int w, int stride, int from, int to) {
    addRow(z, a, 0, inputs, weights, w, stride, from, to);
  }

  private static void addRow(
      double[] z, double[][] a, int first, int inputs, double[] weights, int w, int stride, int from, int to) {
    int i = first;
    for (; i + 3 < inputs; i += 4) {
      int k = w + i * stride;
      more(z, a[i], a[i + 1], a[i + 2], a[i + 3],
          weights[k], weights[k + stride], weights[k + 2 * stride], weights[k + 3 * stride], from, to);
    }
    for (; i < inputs; i++) {
      more(z, a[i], weights[w + i * stride], from, to);
    }
  }

  /**
   * Computes dW += D·Aᵀ.
   *
   * @param d [outputs][samples]
   * @param a [inputs][samples]
   * @param gradients contains dW [outputs x inputs] from index g on
   */
  static void weightGradients(
      double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to) {
    int o = 0;
    for (; o + 1 < outputs; o += 2) {
      int i = 0;
      for (; i + 1 < inputs; i += 2) {
        dots(gradients, g + o * inputs + i, inputs, d[o], d[o + 1], a[i], a[i + 1], from, to);
      }
      if (i < inputs) {
        gradients[g + o * inputs + i] += dot(d[o], a[i], from, to);
        gradients[g + (o + 1) * inputs + i] += dot(d[o + 1], a[i], from, to);
      }
    }
    if (o < outputs) {
      for (int i = 0; i < inputs; i++) {
        gradients[g + o * inputs + i] += dot(d[o], a[i], from, to);
      }
    }
  }

  /** Returns Σ x, in eight partial sums. */
  static double sum(double[] x, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double s4 = 0;
    double s5 = 0;
    double s6 = 0;
    double s7 = 0;
    int n = from;
    for (; n + 7 < to; n += 8) {
      s0 += x[n];
      s1 += x[n + 1];
      s2 += x[n + 2];
      s3 += x[n + 3];
      s4 += x[n + 4];
      s5 += x[n + 5];
      s6 += x[n + 6];
      s7 += x[n + 7];
    }
    for (; n < to; n++) {
      s0 += x[n];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  /** Returns Σ x·y, in eight partial sums. */
  static double dot(double[] x, double[] y, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double s4 = 0;
    double s5 = 0;
    double s6 = 0;
    double s7 = 0;
    int n = from;
    for (; n + 7 < to; n += 8) {
      s0 = Math.fma(x[n], y[n], s0);
      s1 = Math.fma(x[n + 1], y[n + 1], s1);
      s2 = Math.fma(x[n + 2], y[n + 2], s2);
      s3 = Math.fma(x[n + 3], y[n + 3], s3);
      s4 = Math.fma(x[n + 4], y[n + 4], s4);
      s5 = Math.fma(x[n + 5], y[n + 5], s5);
      s6 = Math.fma(x[n + 6], y[n + 6], s6);
      s7 = Math.fma(x[n + 7], y[n + 7], s7);
    }
    for (; n < to; n++) {
      s0 = Math.fma(x[n], y[n], s0);
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  /** Adds the four dot products of rows x0 and x1 with rows y0 and y1. */
  private static void dots(
      double[] g, int at, int stride, double[] x0, double[] x1, double[] y0, double[] y1, int from, int to) {
    double s00 = 0;
    double s01 = 0;
    double s10 = 0;
    double s11 = 0;
    double t00 = 0;
    double t01 = 0;
    double t10 = 0;
    double t11 = 0;
    int n = from;
    for (; n + 1 < to; n += 2) {
      double p = x0[n];
      double q = x1[n];
      double u = y0[n];
      double v = y1[n];
      s00 = Math.fma(p, u, s00);
      s01 = Math.fma(p, v, s01);
      s10 = Math.fma(q, u, s10);
      s11 = Math.fma(q, v, s11);
      p = x0[n + 1];
      q = x1[n + 1];
      u = y0[n + 1];
      v = y1[n + 1];
      t00 = Math.fma(p, u, t00);
      t01 = Math.fma(p, v, t01);
      t10 = Math.fma(q, u, t10);
      t11 = Math.fma(q, v, t11);
    }
    if (n < to) {
      s00 = Math.fma(x0[n], y0[n], s00);
      s01 = Math.fma(x0[n], y1[n], s01);
      s10 = Math.fma(x1[n], y0[n], s10);
      s11 = Math.fma(x1[n], y1[n], s11);
    }
    g[at] += s00 + t00;
    g[at + 1] += s01 + t01;
    g[at + stride] += s10 + t10;
    g[at + stride + 1] += s11 + t11;
  }

  private static void first(double[] z, double[] a, double p, double bias, int from, int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(p, a[n], bias);
    }
  }

  private static void first(double[] z, double[] a, double[] b, double p, double q, double bias, int from, int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(q, b[n], Math.fma(p, a[n], bias));
    }
  }

  private static void first(
      double[] z, double[] a, double[] b, double[] c, double p, double q, double r, double bias, int from, int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(r, c[n], Math.fma(q, b[n], Math.fma(p, a[n], bias)));
    }
  }

  private static void first(
      double[] z,
      double[] a,
      double[] b,
      double[] c,
      double[] d,
      double p,
      double q,
      double r,
      double s,
      double bias,
      int from,
      int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(s, d[n], Math.fma(r, c[n], Math.fma(q, b[n], Math.fma(p, a[n], bias))));
    }
  }

  private static void more(double[] z, double[] a, double p, int from, int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(p, a[n], z[n]);
    }
  }

  private static void more(
      double[] z,
      double[] a,
      double[] b,
      double[] c,
      double[] d,
      double p,
      double q,
      double r,
      double s,
      int from,
      int to) {
    for (int n = from; n < to; n++) {
      z[n] = Math.fma(s, d[n], Math.fma(r, c[n], Math.fma(q, b[n], Math.fma(p, a[n], z[n]))));
    }
  }
}
