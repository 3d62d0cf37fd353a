package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradients of a narrow layer with AVX-512: sums over samples in the lanes of vectors, four outputs and four inputs at a time.
 * These are 16 sums, with 8 loads for 16 multiply-adds; they need more registers than AVX2 has.
 *
 * <p>One instance per network, for its scratch memory.
 */
final class VectorBlockWeightGradients implements WeightGradientKernel {
  private static final VectorSpecies<Double> SPECIES = VectorTile.SPECIES;
  private static final int LANES = SPECIES.length();
  private static final int INPUTS = 4;
  /** Outputs at a time. */
  private static final int OUTPUTS = 4;

  /** The sums of a block [OUTPUTS x INPUTS][LANES]. */
  private final double[] lanes = new double[OUTPUTS * INPUTS * LANES];

  VectorBlockWeightGradients() {}

  @Override
  public void weightGradients(
      double[][] d, int outputs, double[][] a, int inputs, double[] gradients, int g, int from, int to) {
    for (int o = 0; o < outputs; ) {
      int rows = outputs - o;
      for (int i = 0; i < inputs; i += INPUTS) {
        // Where outputs or inputs are missing, the last one is computed more than once, and stored once.
        int columns = Math.min(INPUTS, inputs - i);
        double[] y0 = a[i];
        double[] y1 = a[Math.min(i + 1, inputs - 1)];
        double[] y2 = a[Math.min(i + 2, inputs - 1)];
        double[] y3 = a[Math.min(i + 3, inputs - 1)];
        if (rows > 2) {
          fourRows(lanes, d[o], d[o + 1], d[o + 2], d[Math.min(o + 3, outputs - 1)], y0, y1, y2, y3, from, to);
        } else {
          VectorWeightGradients.dots(lanes, d[o], d[Math.min(o + 1, outputs - 1)], y0, y1, y2, y3, from, to);
        }
        for (int row = 0; row < Math.min(rows, OUTPUTS); row++) {
          for (int column = 0; column < columns; column++) {
            gradients[g + (o + row) * inputs + i + column] += LaneSum.of(lanes, (row * INPUTS + column) * LANES);
          }
        }
      }
      o += OUTPUTS;
    }
  }

  @Override
  public void biasGradients(double[][] d, int outputs, double[] gradients, int g, int from, int to) {
    for (int o = 0; o < outputs; o++) {
      sums(lanes, d[o], from, to);
      gradients[g + o] += LaneSum.of(lanes, 0);
    }
  }

  private static void sums(double[] lanes, double[] x, int from, int to) {
    DoubleVector s = DoubleVector.zero(SPECIES);
    DoubleVector t = s;
    for (int n = from; n < to; n += 2 * LANES) {
      s = s.add(DoubleVector.fromArray(SPECIES, x, n));
      t = t.add(DoubleVector.fromArray(SPECIES, x, n + LANES));
    }
    s.add(t).intoArray(lanes, 0);
  }

  private static void fourRows(
      double[] lanes,
      double[] x0,
      double[] x1,
      double[] x2,
      double[] x3,
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
    DoubleVector s20 = s00;
    DoubleVector s21 = s00;
    DoubleVector s22 = s00;
    DoubleVector s23 = s00;
    DoubleVector s30 = s00;
    DoubleVector s31 = s00;
    DoubleVector s32 = s00;
    DoubleVector s33 = s00;
    for (int n = from; n < to; n += LANES) {
      DoubleVector p = DoubleVector.fromArray(SPECIES, y0, n);
      DoubleVector q = DoubleVector.fromArray(SPECIES, y1, n);
      DoubleVector r = DoubleVector.fromArray(SPECIES, y2, n);
      DoubleVector s = DoubleVector.fromArray(SPECIES, y3, n);
      DoubleVector x = DoubleVector.fromArray(SPECIES, x0, n);
      s00 = x.fma(p, s00);
      s01 = x.fma(q, s01);
      s02 = x.fma(r, s02);
      s03 = x.fma(s, s03);
      x = DoubleVector.fromArray(SPECIES, x1, n);
      s10 = x.fma(p, s10);
      s11 = x.fma(q, s11);
      s12 = x.fma(r, s12);
      s13 = x.fma(s, s13);
      x = DoubleVector.fromArray(SPECIES, x2, n);
      s20 = x.fma(p, s20);
      s21 = x.fma(q, s21);
      s22 = x.fma(r, s22);
      s23 = x.fma(s, s23);
      x = DoubleVector.fromArray(SPECIES, x3, n);
      s30 = x.fma(p, s30);
      s31 = x.fma(q, s31);
      s32 = x.fma(r, s32);
      s33 = x.fma(s, s33);
    }
    s00.intoArray(lanes, 0);
    s01.intoArray(lanes, LANES);
    s02.intoArray(lanes, 2 * LANES);
    s03.intoArray(lanes, 3 * LANES);
    s10.intoArray(lanes, 4 * LANES);
    s11.intoArray(lanes, 5 * LANES);
    s12.intoArray(lanes, 6 * LANES);
    s13.intoArray(lanes, 7 * LANES);
    s20.intoArray(lanes, 8 * LANES);
    s21.intoArray(lanes, 9 * LANES);
    s22.intoArray(lanes, 10 * LANES);
    s23.intoArray(lanes, 11 * LANES);
    s30.intoArray(lanes, 12 * LANES);
    s31.intoArray(lanes, 13 * LANES);
    s32.intoArray(lanes, 14 * LANES);
    s33.intoArray(lanes, 15 * LANES);
  }
}
