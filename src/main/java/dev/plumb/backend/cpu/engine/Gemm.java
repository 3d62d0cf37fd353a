package dev.plumb.backend.cpu.engine;

/**
 * A matrix product in one thread; several threads may call it at once, each for its own part of a result. All matrices are
 * row-major parts of arrays.
 *
 * @param <A> double[] or float[]
 */
public interface Gemm<A> {
  /** How it computes, for people. */
  String name();

  /**
   * C = op(A)·op(B), where op is the matrix itself or its transpose. What C held before does not matter, NaN included.
   *
   * @param transposeA whether a holds A as its transpose, [k x m] instead of [m x k]
   * @param transposeB whether b holds B as its transpose, [n x k] instead of [k x n]
   * @param aOffset where A begins in a
   * @param aStride from one row of what a holds to the next, at least the row's length; likewise for b and c
   */
  void multiply(
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
      int cStride);
}
