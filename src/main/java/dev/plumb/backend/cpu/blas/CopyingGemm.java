package dev.plumb.backend.cpu.blas;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.function.Function;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * OpenBLAS on copies of the matrices in buffers outside the heap; each thread reuses its own buffers. Bytedeco's bridge also
 * accepts arrays, but copies whole arrays there and back. Copying all of C back would overwrite the parts of C that other threads
 * compute at the same time.
 *
 * @param <A> double[] or float[]
 * @param <B> the type of buffer for a copy
 */
final class CopyingGemm<A, B extends Buffer> implements ArrayGemm<A> {
  /** Copies values between a buffer, starting at its position, and an array, starting at an offset. */
  private interface Copy<A, B> {
    void run(B buffer, A array, int offset, int length);
  }

  private interface Call<B> {
    void gemm(int transposeA, int transposeB, int m, int n, int k, B a, int lda, B b, int ldb, B c, int ldc);
  }

  private final Function<ByteBuffer, B> view;
  private final int bytes;
  private final Copy<A, B> put;
  private final Copy<A, B> get;
  private final Call<B> call;
  private final ThreadLocal<ByteBuffer[]> copies = ThreadLocal.withInitial(() -> new ByteBuffer[3]);

  private CopyingGemm(Function<ByteBuffer, B> view, int bytes, Copy<A, B> put, Copy<A, B> get, Call<B> call) {
    this.view = view;
    this.bytes = bytes;
    this.put = put;
    this.get = get;
    this.call = call;
  }

  static ArrayGemm<double[]> doubles() {
    return new CopyingGemm<double[], DoubleBuffer>(ByteBuffer::asDoubleBuffer, Double.BYTES, DoubleBuffer::put, DoubleBuffer::get,
        (transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc) -> openblas_nolapack.cblas_dgemm(
            openblas_nolapack.CblasColMajor, transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, ldc));
  }

  static ArrayGemm<float[]> floats() {
    return new CopyingGemm<float[], FloatBuffer>(ByteBuffer::asFloatBuffer, Float.BYTES, FloatBuffer::put, FloatBuffer::get,
        (transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc) -> openblas_nolapack.cblas_sgemm(
            openblas_nolapack.CblasColMajor, transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, ldc));
  }

  @Override
  public void multiply(
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
      int ldc) {
    int aRows = transposeA ? k : m;
    int bRows = transposeB ? n : k;
    B aCopy = filled(0, a, aOffset, lda, aRows, transposeA ? m : k);
    B bCopy = filled(1, b, bOffset, ldb, bRows, transposeB ? k : n);
    B cCopy = room(2, m, n);
    call.gemm(code(transposeA), code(transposeB), m, n, k, aCopy, aRows, bCopy, bRows, cCopy, m);
    copy(get, cCopy, c, cOffset, ldc, m, n);
  }

  private static int code(boolean transpose) {
    return transpose ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans;
  }

  private B filled(int which, A array, int offset, int stride, int rows, int columns) {
    B copy = room(which, rows, columns);
    copy(put, copy, array, offset, stride, rows, columns);
    copy.position(0);
    return copy;
  }

  private B room(int which, int rows, int columns) {
    ByteBuffer[] own = copies.get();
    int needed = Math.multiplyExact(Math.multiplyExact(rows, columns), bytes);
    if (own[which] == null || own[which].capacity() < needed) {
      own[which] = ByteBuffer.allocateDirect(needed).order(ByteOrder.nativeOrder());
    }
    return view.apply(own[which]);
  }

  private static <A, B extends Buffer> void copy(
      Copy<A, B> copy, B buffer, A array, int offset, int stride, int rows, int columns) {
    if (stride == rows) {
      copy.run(buffer, array, offset, rows * columns);
      return;
    }
    for (int j = 0; j < columns; j++) {
      copy.run(buffer, array, offset + j * stride, rows);
    }
  }
}
