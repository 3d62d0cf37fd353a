package dev.plumb.backend.cpu.blas;

/**
 * The native methods of netlib's library, with the signatures of netlib's own class. Java looks up JNI functions by the name of
 * the class, so {@link NetlibLoader} defines this class under the name of netlib's class.
 */
final class NetlibMethods implements NetlibCalls {
  /** @param library the path of netlib's native library */
  NetlibMethods(String library) {
    System.load(library);
  }

  @Override
  public native void dgemmK(
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

  @Override
  public native void sgemmK(
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
