package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import java.util.Arrays;

/**
 * The matrix product in plain Java, used where no BLAS can be loaded. Rows of C are accumulated as c += a₀·b₀ + ... + a₅·b₅ over
 * rows of B, in the loop {@link #addSixRows}, which HotSpot's C2 vectorizes. Blocks fit the loop and the caches:
 *
 * <ul>
 *   <li>B in blocks of DEPTH x WIDTH, packed into one Java array per row; six rows and a row of C fit the first-level cache;
 *   <li>C in blocks of ROWS x WIDTH, packed alike; a block stays in the second-level cache while a block of B is added to it.
 * </ul>
 *
 * <p>Each value of C is a single sum in the order of k, by fused multiply-adds. It does not depend on the blocks, nor on other
 * rows and columns.
 */
public final class BlockedGemm implements Gemm<double[]> {
  /** Columns of a block; a row has 2 KiB. */
  private static final int WIDTH = 2048 / Double.BYTES;

  /**
   * Length of a row's array: with the header of 16 bytes a multiple of a cache line, so that rows allocated one after the other
   * have the same alignment and few vectors cross a cache line.
   */
  private static final int LENGTH = WIDTH + (64 - 16) / Double.BYTES;

  /** Rows of a block of C, 128 KiB in total. */
  private static final int ROWS = 64;

  /** Rows of a block of B, a multiple of six. */
  private static final int DEPTH = 192;

  /** Number of columns up to which Cᵀ = op(B)ᵀ·op(A)ᵀ is computed instead if it has more columns: short rows vectorize badly. */
  private static final int MAX_NARROW_COLUMNS = 96;

  /** The packed blocks and the operands of one thread; kept, so that products do not allocate. */
  private static final class Blocks {
    final View left = new View();
    final View right = new View();
    final View result = new View();
    final double[][] b = new double[DEPTH][LENGTH];
    final double[][] c = new double[ROWS][LENGTH];
    final double[] coefficients = new double[6];
  }

  /** A matrix inside an array, with the distances between rows and between columns; exchanging them transposes it. */
  private static final class View {
    double[] values;
    int offset;
    /** Distance from a row to the next. */
    int down;
    /** Distance from a column to the next. */
    int right;

    void set(boolean transpose, double[] values, int offset, int stride) {
      this.values = values;
      this.offset = offset;
      down = transpose ? 1 : stride;
      right = transpose ? stride : 1;
    }

    int at(int row, int column) {
      return offset + row * down + column * right;
    }
  }

  private static final ThreadLocal<Blocks> BLOCKS = ThreadLocal.withInitial(Blocks::new);

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
    Gemm.requireInside(transposeA, transposeB, m, n, k, a.length, aOffset, aStride, b.length, bOffset, bStride,
        c.length, cOffset, cStride);
    Blocks own = BLOCKS.get();
    try {
      if (n <= MAX_NARROW_COLUMNS && m > n) {
        own.left.set(!transposeB, b, bOffset, bStride);
        own.right.set(!transposeA, a, aOffset, aStride);
        own.result.set(true, c, cOffset, cStride);
        multiply(n, m, k, own);
      } else {
        own.left.set(transposeA, a, aOffset, aStride);
        own.right.set(transposeB, b, bOffset, bStride);
        own.result.set(false, c, cOffset, cStride);
        multiply(m, n, k, own);
      }
    } finally {
      // The thread may live longer than the arrays.
      own.left.values = null;
      own.right.values = null;
      own.result.values = null;
    }
  }

  private static void multiply(int m, int n, int k, Blocks own) {
    for (int j = 0; j < n; j += WIDTH) {
      int width = Math.min(WIDTH, n - j);
      for (int p = 0; p < k; p += DEPTH) {
        int depth = Math.min(DEPTH, k - p);
        pack(own.right, p, j, depth, width, own.b);
        for (int i = 0; i < m; i += ROWS) {
          int rows = Math.min(ROWS, m - i);
          if (p == 0) {
            zero(own.c, rows, width);
          } else {
            load(own.result, i, j, rows, width, own.c);
          }
          accumulate(own, i, p, rows, depth, width);
          store(own.c, rows, width, own.result, i, j);
        }
      }
    }
  }

  private static void accumulate(Blocks own, int i, int p, int rows, int depth, int width) {
    double[][] b = own.b;
    double[] f = own.coefficients;
    View a = own.left;
    double[] values = a.values;
    int right = a.right;
    for (int q = 0; q < depth; q += 6) {
      int count = Math.min(6, depth - q);
      for (int r = 0; r < rows; r++) {
        int from = a.at(i + r, p + q);
        for (int s = 0; s < 6; s++) {
          f[s] = s < count ? values[from + s * right] : 0;
        }
        addSixRows(own.c[r], b[q], b[q + 1], b[q + 2], b[q + 3], b[q + 4], b[q + 5], f[0], f[1], f[2], f[3], f[4], f[5], width);
      }
    }
  }

  /**
   * Adds six rows of B, times coefficients, to a row of C. C2 vectorizes it with one output array and at most six input arrays.
   */
  private static void addSixRows(
      double[] c,
      double[] b0,
      double[] b1,
      double[] b2,
      double[] b3,
      double[] b4,
      double[] b5,
      double a0,
      double a1,
      double a2,
      double a3,
      double a4,
      double a5,
      int width) {
    for (int j = 0; j < width; j++) {
      c[j] = Math.fma(a5, b5[j], Math.fma(a4, b4[j], Math.fma(a3, b3[j],
          Math.fma(a2, b2[j], Math.fma(a1, b1[j], Math.fma(a0, b0[j], c[j]))))));
    }
  }

  /** Packs a block of B. Rows up to the next multiple of six are filled with zeros. */
  private static void pack(View b, int p, int j, int depth, int width, double[][] block) {
    if (b.right == 1) {
      for (int q = 0; q < depth; q++) {
        System.arraycopy(b.values, b.at(p + q, j), block[q], 0, width);
      }
    } else {
      packTransposed(b, p, j, depth, width, block);
    }
    for (int q = depth; q % 6 != 0; q++) {
      Arrays.fill(block[q], 0, width, 0);
    }
  }

  /** Packs eight rows at a time: they are adjacent in memory, so each cache line is read only once or twice. */
  private static void packTransposed(View b, int p, int j, int depth, int width, double[][] block) {
    int q = 0;
    for (; q + 7 < depth; q += 8) {
      packEightRows(b.values, b.at(p + q, j), b.right, width, block[q], block[q + 1], block[q + 2], block[q + 3],
          block[q + 4], block[q + 5], block[q + 6], block[q + 7]);
    }
    for (; q < depth; q++) {
      double[] row = block[q];
      int from = b.at(p + q, j);
      for (int s = 0; s < width; s++) {
        row[s] = b.values[from + s * b.right];
      }
    }
  }

  private static void packEightRows(
      double[] values,
      int offset,
      int stride,
      int width,
      double[] b0,
      double[] b1,
      double[] b2,
      double[] b3,
      double[] b4,
      double[] b5,
      double[] b6,
      double[] b7) {
    for (int j = 0; j < width; j++) {
      int from = offset + j * stride;
      b0[j] = values[from];
      b1[j] = values[from + 1];
      b2[j] = values[from + 2];
      b3[j] = values[from + 3];
      b4[j] = values[from + 4];
      b5[j] = values[from + 5];
      b6[j] = values[from + 6];
      b7[j] = values[from + 7];
    }
  }

  private static void zero(double[][] block, int rows, int width) {
    for (int r = 0; r < rows; r++) {
      Arrays.fill(block[r], 0, width, 0);
    }
  }

  private static void load(View c, int i, int j, int rows, int width, double[][] block) {
    for (int r = 0; r < rows; r++) {
      int from = c.at(i + r, j);
      if (c.right == 1) {
        System.arraycopy(c.values, from, block[r], 0, width);
      } else {
        for (int s = 0; s < width; s++) {
          block[r][s] = c.values[from + s * c.right];
        }
      }
    }
  }

  private static void store(double[][] block, int rows, int width, View c, int i, int j) {
    for (int r = 0; r < rows; r++) {
      int to = c.at(i + r, j);
      if (c.right == 1) {
        System.arraycopy(block[r], 0, c.values, to, width);
      } else {
        for (int s = 0; s < width; s++) {
          c.values[to + s * c.right] = block[r][s];
        }
      }
    }
  }
}
