package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;

/**
 * The matrix product in plain Java, where no BLAS can be loaded. A block of B is packed into rows that stay in the second-level
 * cache, and each row of C is summed up over them: the same loops over rows that small networks are trained with.
 */
public final class BlockedGemm implements Gemm<double[]> {
  /** Rows of a packed block: a multiple of the four that are taken at once. */
  private static final int DEPTH = 64;

  /** Columns of a packed block, 256 KiB of doubles together. */
  private static final int WIDTH = 512;

  /** What one thread packs into, and a row of C. */
  private record Room(double[][] block, double[] row) {}

  private final ThreadLocal<Room> rooms =
      ThreadLocal.withInitial(() -> new Room(new double[DEPTH][WIDTH], new double[WIDTH]));

  @Override
  public String name() {
    return "plain Java";
  }

  @Override
  public void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      double[] a,
      int aOffset,
      int aStride,
      double[] b,
      int bOffset,
      int bStride,
      double[] c,
      int cOffset,
      int cStride) {
    Room room = rooms.get();
    int alongK = transposeA ? aStride : 1;
    int alongM = transposeA ? 1 : aStride;
    for (int j = 0; j < n; j += WIDTH) {
      int width = Math.min(WIDTH, n - j);
      for (int p = 0; p < k; p += DEPTH) {
        int depth = Math.min(DEPTH, k - p);
        if (transposeB) {
          packTransposed(b, bOffset + j * bStride + p, bStride, room.block(), depth, width);
        } else {
          pack(b, bOffset + p * bStride + j, bStride, room.block(), depth, width);
        }
        for (int i = 0; i < m; i++) {
          int from = aOffset + i * alongM + p * alongK;
          int to = cOffset + i * cStride + j;
          if (p == 0) {
            RowProducts.row(room.row(), room.block(), depth, a, from, alongK, 0, 0, width);
          } else {
            System.arraycopy(c, to, room.row(), 0, width);
            RowProducts.addRow(room.row(), room.block(), depth, a, from, alongK, 0, width);
          }
          System.arraycopy(room.row(), 0, c, to, width);
        }
      }
    }
  }

  private static void pack(double[] b, int offset, int stride, double[][] block, int depth, int width) {
    for (int p = 0; p < depth; p++) {
      System.arraycopy(b, offset + p * stride, block[p], 0, width);
    }
  }

  private static void packTransposed(double[] b, int offset, int stride, double[][] block, int depth, int width) {
    for (int p = 0; p < depth; p++) {
      double[] row = block[p];
      for (int j = 0; j < width; j++) {
        row[j] = b[offset + j * stride + p];
      }
    }
  }
}
