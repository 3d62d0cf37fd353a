package dev.plumb.backend.cpu.blas;

/**
 * GEMM as BLAS defines it, on Java arrays: C = op(A)·op(B), all matrices stored column-major.
 *
 * @param <A> double[] or float[]
 */
@FunctionalInterface
interface ArrayGemm<A> {
  /**
   * Computes C = op(A)·op(B).
   *
   * @param m rows of op(A) and C
   * @param n columns of op(B) and C
   * @param k columns of op(A), rows of op(B)
   * @param lda distance between stored columns of A; likewise ldb and ldc
   */
  void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      A a,
      int aOffset,
      int lda,
      A b,
      int bOffset,
      int ldb,
      A c,
      int cOffset,
      int ldc);
}
