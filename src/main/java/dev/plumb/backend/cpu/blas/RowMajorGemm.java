package dev.plumb.backend.cpu.blas;

import dev.plumb.backend.cpu.engine.Gemm;
import java.lang.reflect.Array;

/**
 * The product of a BLAS for row-major matrices. What lies in memory as a row-major M is, read column by column, Mᵀ; and Cᵀ =
 * op(B)ᵀ·op(A)ᵀ. So B comes first and m and n change places, while strides, and what is to be transposed, stay with their matrix.
 *
 * @param <A> double[] or float[]
 */
record RowMajorGemm<A>(String name, ArrayGemm<A> blas) implements Gemm<A> {
  @Override
  public void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      A a,
      int aOffset,
      int aStride,
      A b,
      int bOffset,
      int bStride,
      A c,
      int cOffset,
      int cStride) {
    // Native code does not check the bounds of arrays.
    Gemm.requireInside(transposeA, transposeB, m, n, k, Array.getLength(a), aOffset, aStride,
        Array.getLength(b), bOffset, bStride, Array.getLength(c), cOffset, cStride);
    blas.multiply(transposeB, transposeA, n, m, k, b, bOffset, bStride, a, aOffset, aStride, c, cOffset, cStride);
  }
}
