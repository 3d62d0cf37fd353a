package dev.plumb.backend.cpu.engine;

/**
 * General matrix multiplication (GEMM) in the calling thread. Several threads may call it at the same time for different parts of
 * a result. All matrices are row-major and may be parts of larger arrays.
 *
 * @param <A> double[] or float[]
 */
public interface Gemm<A> {
  /** Returns the name of the implementation, for reports. */
  String name();

  /**
   * Computes C [m x n] = op(A)·op(B), where op is the matrix itself or its transpose. Previous values of C are overwritten, NaN
   * included.
   *
   * @param transposeA whether A is stored as its transpose, [k x m] instead of [m x k]
   * @param transposeB whether B is stored as its transpose, [n x k] instead of [k x n]
   * @param m at least 1, like n and k
   * @param aOffset index of A's first element in a; likewise for b and c
   * @param aStride distance between stored rows of A, at least a row's length; likewise for b and c
   * @throws IndexOutOfBoundsException when a matrix does not fit its array; nothing is computed then
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
   * Returns whether the operands of {@link #newRightOperand} pack B once for all products, so that small tiles have no overhead.
   * Otherwise each product packs it again.
   */
  default boolean packsOnce() {
    return false;
  }

  /** Returns an operand without a matrix. */
  default RightOperand<A> newRightOperand() {
    return new UnpackedRightOperand<>(this);
  }

  /**
   * A right matrix B that several products share. One thread sets it; any number of threads pack its rows as soon as they have
   * been computed; once all rows are packed, any number of threads multiply. Results have the same bits as those of
   * {@link Gemm#multiply}. Allocates only when a matrix is larger than all before.
   *
   * @param <A> double[] or float[]
   */
  interface RightOperand<A> {
    /** Number of rows that a thread packs in one task when all rows are available from the beginning. */
    int PACKED_AT_ONCE = 16;

    /** Sets B [k x n], stored as for {@link Gemm#multiply}. Its values are read by {@link #pack} and by the products. */
    void set(boolean transposeB, int n, int k, A b, int bOffset, int bStride);

    /**
     * Packs rows from..to - 1 as stored: rows of B, or columns if B is stored as its transpose. They must not change until the
     * last product is finished.
     */
    void pack(int from, int to);

    /** Computes C [m x n] = op(A)·B. */
    void multiply(boolean transposeA, int m, A a, int aOffset, int aStride, A c, int cOffset, int cStride);

    /** Returns the size of its own arrays, in bytes. */
    long bytes();
  }

  /**
   * Checks that all three matrices fit their arrays.
   *
   * @param aLength length of the array a; likewise for b and c
   * @throws IndexOutOfBoundsException when one does not
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
      throw new IndexOutOfBoundsException("%s [%d x %d] with stride %d at offset %d does not fit an array of length %d"
          .formatted(name, rows, columns, stride, offset, length));
    }
  }
}
