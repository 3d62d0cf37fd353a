package dev.plumb.backend.cpu.blas;

/**
 * The functions of netlib's native library that Plumb uses: GEMM on Java arrays without copies. Public
 * because {@link NetlibLoader} defines {@link NetlibMethods}, which implements it, in another package.
 */
public interface NetlibCalls {
  /** Computes C = alpha·op(A)·op(B) + beta·C, column-major, without checking that the matrices fit the arrays. */
  void dgemmK(
      String transposeA,
      String transposeB,
      int m,
      int n,
      int k,
      double alpha,
      double[] a,
      int aOffset,
      int lda,
      double[] b,
      int bOffset,
      int ldb,
      double beta,
      double[] c,
      int cOffset,
      int ldc);

  /** Computes the same in single precision. */
  void sgemmK(
      String transposeA,
      String transposeB,
      int m,
      int n,
      int k,
      float alpha,
      float[] a,
      int aOffset,
      int lda,
      float[] b,
      int bOffset,
      int ldb,
      float beta,
      float[] c,
      int cOffset,
      int ldc);
}
