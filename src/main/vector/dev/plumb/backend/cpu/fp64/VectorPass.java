package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * One pass of a layer with a piecewise linear activation, over the units of the layer below (forward) or above (backward). Four
 * units by two vectors of samples are computed at a time. Their sums stay in registers until the activation was applied.
 *
 * <p>This class is a template: {@link VectorLayer} loads it once for each activation and direction, as a hidden class whose class
 * data is the {@link VectorLayer.Kind}. The conditions on it are constants in each of these classes, so C2 compiles straight-line
 * code. With a switch at run time it spills the sums. Other activations are not applied here: C2 does not inline every call in a
 * method as long as {@link #fourRows}, and a vector that is passed to a method that is not inlined is allocated in memory.
 */
final class VectorPass implements VectorLayer.Pass {
  private static final VectorLayer.Kind KIND = kind();
  private static final Activation F = KIND.activation();
  private static final boolean BACKWARD = KIND.backward();

  private static final VectorSpecies<Double> SPECIES = VectorTile.SPECIES;
  private static final int LANES = SPECIES.length();
  private static final DoubleVector ZERO = DoubleVector.zero(SPECIES);
  private static final DoubleVector LEAKY_SLOPE = DoubleVector.broadcast(SPECIES, Piecewise.LEAKY_SLOPE);

  VectorPass() {}

  private static VectorLayer.Kind kind() {
    try {
      return MethodHandles.classData(MethodHandles.lookup(), "_", VectorLayer.Kind.class);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void sums(
      double[][] x,
      int terms,
      double[] parameters,
      int weights,
      int unitStride,
      int termStride,
      int biases,
      double[][] a,
      double[][] out,
      int samples) {
    int units = out.length;
    int unit = 0;
    for (; unit + 1 < units; unit += 4) {
      // If fewer than four units are left, the last one is computed more than once.
      int u2 = Math.min(unit + 2, units - 1);
      int u3 = Math.min(unit + 3, units - 1);
      fourRows(x, terms, parameters, weights + unit * unitStride, unitStride, (u2 - unit) * unitStride, (u3 - unit) * unitStride,
          termStride, biases + unit, u2 - unit, u3 - unit, BACKWARD ? a : out, out, unit, samples);
    }
    if (unit < units) {
      row(x, terms, parameters, weights + unit * unitStride, termStride, biases + unit, (BACKWARD ? a : out)[unit], out[unit],
          samples);
    }
  }

  /** Computes rows unit, unit + 1, unit + step2 and unit + step3; to2 and to3 are the distances of the weights. */
  private static void fourRows(
      double[][] x,
      int terms,
      double[] w,
      int weights,
      int to1,
      int to2,
      int to3,
      int termStride,
      int bias,
      int step2,
      int step3,
      double[][] a,
      double[][] out,
      int unit,
      int samples) {
    double[] out0 = out[unit];
    double[] out1 = out[unit + 1];
    double[] out2 = out[unit + step2];
    double[] out3 = out[unit + step3];
    double[] a0 = a[unit];
    double[] a1 = a[unit + 1];
    double[] a2 = a[unit + step2];
    double[] a3 = a[unit + step3];
    for (int n = 0; n < samples; n += 2 * LANES) {
      DoubleVector s0 = start(w, bias);
      DoubleVector s1 = BACKWARD ? s0 : start(w, bias + 1);
      DoubleVector s2 = BACKWARD ? s0 : start(w, bias + step2);
      DoubleVector s3 = BACKWARD ? s0 : start(w, bias + step3);
      DoubleVector t0 = s0;
      DoubleVector t1 = s1;
      DoubleVector t2 = s2;
      DoubleVector t3 = s3;
      for (int term = 0, k = weights; term < terms; term++, k += termStride) {
        double[] row = x[term];
        DoubleVector p = DoubleVector.fromArray(SPECIES, row, n);
        DoubleVector q = DoubleVector.fromArray(SPECIES, row, n + LANES);
        DoubleVector c = DoubleVector.broadcast(SPECIES, w[k]);
        s0 = c.fma(p, s0);
        t0 = c.fma(q, t0);
        c = DoubleVector.broadcast(SPECIES, w[k + to1]);
        s1 = c.fma(p, s1);
        t1 = c.fma(q, t1);
        c = DoubleVector.broadcast(SPECIES, w[k + to2]);
        s2 = c.fma(p, s2);
        t2 = c.fma(q, t2);
        c = DoubleVector.broadcast(SPECIES, w[k + to3]);
        s3 = c.fma(p, s3);
        t3 = c.fma(q, t3);
      }
      finish(s0, a0, out0, n);
      finish(t0, a0, out0, n + LANES);
      finish(s1, a1, out1, n);
      finish(t1, a1, out1, n + LANES);
      finish(s2, a2, out2, n);
      finish(t2, a2, out2, n + LANES);
      finish(s3, a3, out3, n);
      finish(t3, a3, out3, n + LANES);
    }
  }

  private static void row(
      double[][] x, int terms, double[] w, int weights, int termStride, int bias, double[] a, double[] out, int samples) {
    for (int n = 0; n < samples; n += 2 * LANES) {
      DoubleVector s = start(w, bias);
      DoubleVector t = s;
      for (int term = 0, k = weights; term < terms; term++, k += termStride) {
        double[] row = x[term];
        DoubleVector c = DoubleVector.broadcast(SPECIES, w[k]);
        s = c.fma(DoubleVector.fromArray(SPECIES, row, n), s);
        t = c.fma(DoubleVector.fromArray(SPECIES, row, n + LANES), t);
      }
      finish(s, a, out, n);
      finish(t, a, out, n + LANES);
    }
  }

  private static DoubleVector start(double[] parameters, int bias) {
    return BACKWARD ? DoubleVector.zero(SPECIES) : DoubleVector.broadcast(SPECIES, parameters[bias]);
  }

  /** Stores f(sum), or sum·f'(Z) in the backward pass. */
  private static void finish(DoubleVector sum, double[] a, double[] out, int n) {
    if (F == Activation.LINEAR) {
      sum.intoArray(out, n);
      return;
    }
    DoubleVector sign = BACKWARD ? DoubleVector.fromArray(SPECIES, a, n) : sum;
    DoubleVector below = F == Activation.RELU ? ZERO : sum.mul(LEAKY_SLOPE);
    sum.blend(below, sign.compare(VectorOperators.LE, ZERO)).intoArray(out, n);
  }
}
