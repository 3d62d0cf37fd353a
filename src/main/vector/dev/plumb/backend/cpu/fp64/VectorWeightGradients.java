package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Weight gradients with the Vector API: sums over samples in the lanes of vectors, two outputs with four inputs at a time. Eight
 * sums, two outputs and one input fit the 16 registers of AVX2, with six loads for eight multiply-adds.
 */
final class VectorWeightGradients implements WeightGradientKernel {
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  VectorWeightGradients() {}

  @Override
  public void weightGradients(
      double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to) {
    for (int o = 0; o < outputs; o += 2) {
      // If the number of outputs is odd, the last one is computed twice and stored once.
      double[] second = o + 1 < outputs ? d[o + 1] : d[o];
      int stride = o + 1 < outputs ? inputs : 0;
      int at = g + o * inputs;
      int i = 0;
      for (; i + 3 < inputs; i += 4) {
        dots(gradients, at + i, stride, d[o], second, a[i], a[i + 1], a[i + 2], a[i + 3], from, to);
      }
      for (; i < inputs; i++) {
        dots(gradients, at + i, stride, d[o], second, a[i], from, to);
      }
    }
  }

  @Override
  public void biasGradients(double[][] d, int outputs, double[] gradients, int g, int from, int to) {
    for (int o = 0; o < outputs; o++) {
      DoubleVector s = DoubleVector.zero(SPECIES);
      DoubleVector t = s;
      for (int n = from; n < to; n += 2 * LANES) {
        s = s.add(DoubleVector.fromArray(SPECIES, d[o], n));
        t = t.add(DoubleVector.fromArray(SPECIES, d[o], n + LANES));
      }
      gradients[g + o] += sum(s.add(t));
    }
  }

  private static void dots(
      double[] g,
      int at,
      int stride,
      double[] x0,
      double[] x1,
      double[] y0,
      double[] y1,
      double[] y2,
      double[] y3,
      int from,
      int to) {
    DoubleVector s00 = DoubleVector.zero(SPECIES);
    DoubleVector s01 = s00;
    DoubleVector s02 = s00;
    DoubleVector s03 = s00;
    DoubleVector s10 = s00;
    DoubleVector s11 = s00;
    DoubleVector s12 = s00;
    DoubleVector s13 = s00;
    for (int n = from; n < to; n += LANES) {
      DoubleVector p = DoubleVector.fromArray(SPECIES, x0, n);
      DoubleVector q = DoubleVector.fromArray(SPECIES, x1, n);
      DoubleVector y = DoubleVector.fromArray(SPECIES, y0, n);
      s00 = p.fma(y, s00);
      s10 = q.fma(y, s10);
      y = DoubleVector.fromArray(SPECIES, y1, n);
      s01 = p.fma(y, s01);
      s11 = q.fma(y, s11);
      y = DoubleVector.fromArray(SPECIES, y2, n);
      s02 = p.fma(y, s02);
      s12 = q.fma(y, s12);
      y = DoubleVector.fromArray(SPECIES, y3, n);
      s03 = p.fma(y, s03);
      s13 = q.fma(y, s13);
    }
    if (stride > 0) {
      g[at + stride] += sum(s10);
      g[at + stride + 1] += sum(s11);
      g[at + stride + 2] += sum(s12);
      g[at + stride + 3] += sum(s13);
    }
    g[at] += sum(s00);
    g[at + 1] += sum(s01);
    g[at + 2] += sum(s02);
    g[at + 3] += sum(s03);
  }

  private static void dots(
      double[] g, int at, int stride, double[] x0, double[] x1, double[] y0, int from, int to) {
    DoubleVector s0 = DoubleVector.zero(SPECIES);
    DoubleVector s1 = s0;
    for (int n = from; n < to; n += LANES) {
      DoubleVector y = DoubleVector.fromArray(SPECIES, y0, n);
      s0 = DoubleVector.fromArray(SPECIES, x0, n).fma(y, s0);
      s1 = DoubleVector.fromArray(SPECIES, x1, n).fma(y, s1);
    }
    if (stride > 0) {
      g[at + stride] += sum(s1);
    }
    g[at] += sum(s0);
  }

  private static double sum(DoubleVector lanes) {
    return lanes.reduceLanes(VectorOperators.ADD);
  }
}
