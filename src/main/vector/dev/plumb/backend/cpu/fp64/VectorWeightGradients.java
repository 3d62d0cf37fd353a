package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Weight gradients with the Vector API: sums over samples in the lanes of vectors, two outputs with four inputs at a time. Eight
 * sums, two outputs and one input fit the 16 registers of AVX2, with six loads for eight multiply-adds. One instance per network, for
 * its scratch memory.
 */
final class VectorWeightGradients implements WeightGradientKernel {
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  /** The sums of two outputs with four inputs [2 x 4][LANES]. */
  private final double[] lanes = new double[2 * 4 * LANES];

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
        dots(lanes, d[o], second, a[i], a[i + 1], a[i + 2], a[i + 3], from, to);
        addBlock(lanes, gradients, at + i, stride);
      }
      for (; i < inputs; i++) {
        dots(lanes, d[o], second, a[i], from, to);
        if (stride > 0) {
          gradients[at + i + stride] += LaneSum.of(lanes, LANES);
        }
        gradients[at + i] += LaneSum.of(lanes, 0);
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
      s.add(t).intoArray(lanes, 0);
      gradients[g + o] += LaneSum.of(lanes, 0);
    }
  }

  /** Adds the sums of two outputs, or of one if the stride is 0, with four inputs. */
  private static void addBlock(double[] lanes, double[] gradients, int at, int stride) {
    if (stride > 0) {
      gradients[at + stride] += LaneSum.of(lanes, 4 * LANES);
      gradients[at + stride + 1] += LaneSum.of(lanes, 5 * LANES);
      gradients[at + stride + 2] += LaneSum.of(lanes, 6 * LANES);
      gradients[at + stride + 3] += LaneSum.of(lanes, 7 * LANES);
    }
    gradients[at] += LaneSum.of(lanes, 0);
    gradients[at + 1] += LaneSum.of(lanes, LANES);
    gradients[at + 2] += LaneSum.of(lanes, 2 * LANES);
    gradients[at + 3] += LaneSum.of(lanes, 3 * LANES);
  }

  /** Computes the sums over samples of two outputs with four inputs, [2 x 4][LANES], without adding their lanes. */
  static void dots(
      double[] lanes,
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
    s00.intoArray(lanes, 0);
    s01.intoArray(lanes, LANES);
    s02.intoArray(lanes, 2 * LANES);
    s03.intoArray(lanes, 3 * LANES);
    s10.intoArray(lanes, 4 * LANES);
    s11.intoArray(lanes, 5 * LANES);
    s12.intoArray(lanes, 6 * LANES);
    s13.intoArray(lanes, 7 * LANES);
  }

  private static void dots(double[] lanes, double[] x0, double[] x1, double[] y0, int from, int to) {
    DoubleVector s0 = DoubleVector.zero(SPECIES);
    DoubleVector s1 = s0;
    for (int n = from; n < to; n += LANES) {
      DoubleVector y = DoubleVector.fromArray(SPECIES, y0, n);
      s0 = DoubleVector.fromArray(SPECIES, x0, n).fma(y, s0);
      s1 = DoubleVector.fromArray(SPECIES, x1, n).fma(y, s1);
    }
    s0.intoArray(lanes, 0);
    s1.intoArray(lanes, LANES);
  }
}
