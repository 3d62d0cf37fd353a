package dev.plumb.backend.cpu.engine;

/**
 * The right matrix of a GEMM that packs it again in each call; only its location is stored.
 *
 * @param <A> double[] or float[]
 */
final class UnpackedRightOperand<A> implements Gemm.RightOperand<A> {
  private final Gemm<A> gemm;
  private boolean transposed;
  private int columns;
  private int depth;
  private A values;
  private int offset;
  private int stride;

  UnpackedRightOperand(Gemm<A> gemm) {
    this.gemm = gemm;
  }

  @Override
  public void set(boolean transposeB, int n, int k, A b, int bOffset, int bStride) {
    transposed = transposeB;
    columns = n;
    depth = k;
    values = b;
    offset = bOffset;
    stride = bStride;
  }

  @Override
  public void pack(int from, int to) {
    // Each product packs it.
  }

  @Override
  public void multiply(boolean transposeA, int m, A a, int aOffset, int aStride, A c, int cOffset, int cStride) {
    gemm.multiply(
        transposeA, transposed, m, columns, depth, a, aOffset, aStride, values, offset, stride, c, cOffset, cStride);
  }

  @Override
  public long bytes() {
    return 0;
  }
}
