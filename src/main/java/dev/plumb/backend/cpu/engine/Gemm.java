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
   * @param m at least 1, as n and k
   * @param transposeA whether a holds A as its transpose, [k x m] instead of [m x k]
   * @param transposeB whether b holds B as its transpose, [n x k] instead of [k x n]
   * @param aOffset where A begins in a
   * @param aStride from one row of what a holds to the next, at least the row's length; likewise for b and c
   * @throws IndexOutOfBoundsException when one of the three does not lie inside its array; nothing is computed then
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

  /**
   * Refuses what does not lie inside its arrays, before anything is touched.
   *
   * @param aLength of the array a; likewise for b and c
   */
  static void requireInside(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      int aLength,
      int aOffset,
      int aStride,
      int bLength,
      int bOffset,
      int bStride,
      int cLength,
      int cOffset,
      int cStride) {
    requireInside("A", aLength, aOffset, aStride, transposeA ? k : m, transposeA ? m : k);
    requireInside("B", bLength, bOffset, bStride, transposeB ? n : k, transposeB ? k : n);
    requireInside("C", cLength, cOffset, cStride, m, n);
  }

  private static void requireInside(String name, int length, int offset, int stride, int rows, int columns) {
    if (rows < 1 || columns < 1 || offset < 0 || stride < columns || offset + (rows - 1L) * stride + columns > length) {
      throw new IndexOutOfBoundsException("%s, %d x %d with rows %d apart from %d on, does not lie inside an array of %d"
          .formatted(name, rows, columns, stride, offset, length));
    }
  }
}
