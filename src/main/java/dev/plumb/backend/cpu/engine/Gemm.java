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
   * Whether what {@link #newRightOperand} makes packs B once for all calls that have it in common, so that small tiles cost nothing; else
   * each call packs it anew.
   */
  default boolean packsOnce() {
    return false;
  }

  /** Room for a right matrix. */
  default RightOperand<A> newRightOperand() {
    return new UnpackedRightOperand<>(this);
  }

  /**
   * A right matrix that several products have in common: taken once by one thread, packed by any number of them, each some of its
   * rows as soon as they are there, and when all rows are packed, multiplied from the left by any of them. Gives the bits that
   * {@link Gemm#multiply} gives, and makes no objects once it had one of the size.
   *
   * @param <A> double[] or float[]
   */
  interface RightOperand<A> {
    /** Rows that one thread packs in one go where they are all there beforehand. */
    int PACKED_AT_ONCE = 16;

    /** Takes B as {@link Gemm#multiply} does; what b holds is read when its rows are packed, and by the products. */
    void set(boolean transposeB, int n, int k, A b, int bOffset, int bStride);

    /**
     * Packs rows from..to - 1 of what b holds, which are rows of B, or columns of it if b holds its transpose. They may not change
     * until the last product is done.
     */
    void pack(int from, int to);

    /** C = op(A)·op(B) of what was taken. */
    void multiply(boolean transposeA, int m, A a, int aOffset, int aStride, A c, int cOffset, int cStride);

    /** What it holds in arrays of its own. */
    long bytes();
  }

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
