package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;

/**
 * The matrix product with the Vector API, for processors with vectors of 512 bits, whose registers fit the tile of
 * {@link VectorTile}. B is packed once into panels as wide as two vectors, which are multiplied with all rows of A. A is read in
 * place, or copied where its rows would compete for cache lines; C is written once. A BLAS also packs A and first fills C with
 * zeros, which takes a tenth of the time for batches of 128.
 *
 * <p>Each value of C is a single sum in the order of k, by fused multiply-adds. It does not depend on the tiles, nor on other
 * rows and columns.
 */
public final class VectorGemm implements Gemm<double[]> {
  private static final int LANES = VectorTile.LANES;
  private static final int ROWS = VectorTile.ROWS;
  private static final int WIDTH = 2 * LANES;

  /** Maximum number of values of k per pass. */
  private static final int DEPTH = 512;

  /** Size of the panels that stay in the second-level cache while rows of A are multiplied with them. */
  private static final int PANEL_BYTES = 512 * 1024;

  /** Number of rows of A packed at a time: whole cache lines where they are adjacent in memory. */
  private static final int GROUP = 4 * ROWS;

  /** Distance in bytes at which rows map to the same lines of the first-level cache. */
  private static final int CACHE_ALIAS_BYTES = 4096;

  /** Distance between columns of packed rows of A: a multiple of the vector length, so that whole vectors are copied. */
  private static final int PACKED = (ROWS + LANES - 1) / LANES * LANES;

  /** Copies of rows of A, and of partial tiles of C, of one thread. */
  private static final class Scratch {
    final double[] packedA = new double[GROUP * Math.max(DEPTH + LANES, (DEPTH * PACKED + ROWS - 1) / ROWS)];
    final double[] edge = new double[ROWS * WIDTH];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final ThreadLocal<Panels> panels = ThreadLocal.withInitial(Panels::new);

  @Override
  public String name() {
    return "Vector API";
  }

  @Override
  public boolean packsOnce() {
    return true;
  }

  @Override
  public RightOperand<double[]> newRightOperand() {
    return new Panels();
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
    Panels own = panels.get();
    own.set(transposeB, n, k, b, bOffset, bStride);
    own.pack(0, transposeB ? n : k);
    own.multiply(transposeA, m, a, aOffset, aStride, c, cOffset, cStride);
  }

  /** The packed matrix B: consecutive panels [k][width], the last one padded with zeros to one or two vectors. */
  private static final class Panels implements RightOperand<double[]> {
    private double[] values = {};
    private int n;
    private int k;
    private boolean transposed;
    private double[] matrix;
    private int offset;
    private int stride;

    @Override
    public void set(boolean transposeB, int columns, int depth, double[] b, int bOffset, int bStride) {
      n = columns;
      k = depth;
      int size = Math.toIntExact((long) k * ((n + LANES - 1) / LANES * LANES));
      if (values.length < size) {
        values = new double[size];
      }
      transposed = transposeB;
      matrix = b;
      offset = bOffset;
      stride = bStride;
    }

    @Override
    public void pack(int from, int to) {
      for (int j = transposed ? from / WIDTH * WIDTH : 0; j < (transposed ? to : n); j += WIDTH) {
        int width = width(j);
        int end = Math.min(n, j + width);
        if (transposed) {
          packColumns(Math.max(from, j), Math.min(to, end), j, width);
        } else if (end == j + width) {
          packVectors(from, to, j, width);
        } else {
          packRows(from, to, j, end - j, width);
        }
      }
    }

    /** Returns the width of the panel that begins with column j. */
    private int width(int j) {
      return n - j > LANES ? WIDTH : LANES;
    }

    /** Packs rows from..to - 1 of the panel that begins with column j. */
    private void packVectors(int from, int to, int j, int width) {
      double[] b = matrix;
      int at = offset + j;
      int first = j * k;
      for (int p = from; p < to; p++) {
        for (int v = 0; v < width; v += LANES) {
          DoubleVector.fromArray(VectorTile.SPECIES, b, at + p * stride + v).intoArray(values, first + p * width + v);
        }
      }
    }

    /** Packs rows from..to - 1 of the last panel, of which the matrix has only some columns. */
    private void packRows(int from, int to, int j, int some, int width) {
      for (int p = from; p < to; p++) {
        int row = j * k + p * width;
        System.arraycopy(matrix, offset + p * stride + j, values, row, some);
        Arrays.fill(values, row + some, row + width, 0);
      }
    }

    /**
     * Packs columns from..to - 1 of the panel that begins with column j, eight at a time, in blocks of rows that stay in the
     * first-level cache. Together with the last column of the matrix, it fills the padding.
     */
    private void packColumns(int from, int to, int j, int width) {
      double[] b = matrix;
      int end = to == n ? j + width : to;
      for (int p = 0; p < k; p += 64) {
        int rows = Math.min(64, k - p);
        int first = j * k + p * width;
        int column = from;
        for (; column + 7 < to; column += 8) {
          packEightColumns(b, offset + column * stride + p, stride, values, first + column - j, width, rows);
        }
        for (; column < end; column++) {
          for (int q = 0; q < rows; q++) {
            values[first + q * width + column - j] = column < to ? b[offset + column * stride + p + q] : 0;
          }
        }
      }
    }

    private static void packEightColumns(double[] b, int from, int stride, double[] values, int to, int width, int k) {
      int b1 = from + stride;
      int b2 = b1 + stride;
      int b3 = b2 + stride;
      int b4 = b3 + stride;
      int b5 = b4 + stride;
      int b6 = b5 + stride;
      int b7 = b6 + stride;
      for (int p = 0; p < k; p++, to += width) {
        values[to] = b[from + p];
        values[to + 1] = b[b1 + p];
        values[to + 2] = b[b2 + p];
        values[to + 3] = b[b3 + p];
        values[to + 4] = b[b4 + p];
        values[to + 5] = b[b5 + p];
        values[to + 6] = b[b6 + p];
        values[to + 7] = b[b7 + p];
      }
    }

    @Override
    public void multiply(boolean transposeA, int m, double[] a, int aOffset, int aStride, double[] c, int cOffset, int cStride) {
      Scratch scratch = SCRATCH.get();
      double[] packedA = scratch.packedA;
      double[] edge = scratch.edge;
      boolean aliased = aStride * Double.BYTES % CACHE_ALIAS_BYTES == 0;
      int down = transposeA ? 1 : aStride;
      int right = transposeA ? aStride : 1;
      int group = transposeA && aliased ? GROUP : ROWS;
      for (int p = 0; p < k; p += DEPTH) {
        int depth = Math.min(DEPTH, k - p);
        int columns = Math.max(WIDTH, PANEL_BYTES / Double.BYTES / depth / WIDTH * WIDTH);
        for (int i = 0; i < m; i += group) {
          int rows = Math.min(group, m - i);
          int from = aOffset + i * down + p * right;
          boolean inPlace = rows == ROWS && !aliased;
          if (!inPlace && transposeA) {
            packColumnsOfA(a, from, aStride, rows, depth, packedA);
          } else if (!inPlace) {
            packRowsOfA(a, from, aStride, rows, depth, packedA);
          }
          for (int j = 0; j < n; j += columns) {
            int to = Math.min(n, j + columns);
            for (int r = 0; r < rows; r += ROWS) {
              int c0 = cOffset + (i + r) * cStride;
              int some = Math.min(ROWS, rows - r);
              if (inPlace) {
                rows(a, from, down, right, p, depth, j, to, some, c, c0, cStride, edge);
              } else if (transposeA) {
                rows(packedA, r / ROWS * depth * PACKED, 1, PACKED, p, depth, j, to, some, c, c0, cStride, edge);
              } else {
                rows(packedA, 0, depth + LANES, 1, p, depth, j, to, some, c, c0, cStride, edge);
              }
            }
          }
        }
      }
    }

    /** Computes columns j..to - 1 of up to twelve rows. */
    private void rows(double[] a, int a0, int down, int right, int p, int depth, int j, int to, int rows,
        double[] c, int c0, int cStride, double[] edge) {
      for (int column = j; column < to; column += WIDTH) {
        int width = width(column);
        int some = Math.min(width, to - column);
        int b0 = column * k + p * width;
        boolean whole = rows == ROWS && some == width;
        if (!whole && p > 0) {
          copy(c, c0 + column, cStride, edge, 0, width, rows, some);
        }
        double[] tile = whole ? c : edge;
        int at = whole ? c0 + column : 0;
        int stride = whole ? cStride : width;
        if (width == WIDTH) {
          VectorTile.twoVectors(a, a0, down, right, values, b0, depth, tile, at, stride, p > 0);
        } else {
          VectorTile.oneVector(a, a0, down, right, values, b0, depth, tile, at, stride, p > 0);
        }
        if (!whole) {
          copy(edge, 0, width, c, c0 + column, cStride, rows, some);
        }
      }
    }

    private static void copy(double[] from, int at, int stride, double[] to, int toAt, int toStride, int rows, int some) {
      for (int r = 0; r < rows; r++) {
        System.arraycopy(from, at + r * stride, to, toAt + r * toStride, some);
      }
    }

    /** Copies rows of A one after the other, with a gap of one vector: rows at a power of two would compete for cache lines. */
    private static void packRowsOfA(double[] a, int from, int stride, int group, int depth, double[] packedA) {
      for (int r = 0; r < (group + ROWS - 1) / ROWS * ROWS; r++) {
        int to = r * (depth + LANES);
        if (r < group) {
          System.arraycopy(a, from + r * stride, packedA, to, depth);
        } else {
          Arrays.fill(packedA, to, to + depth, 0);
        }
      }
    }

    /** Copies rows of A that are adjacent in memory: twelve rows as [depth][PACKED], then the next twelve. */
    private static void packColumnsOfA(double[] a, int from, int stride, int group, int depth, double[] packedA) {
      boolean whole = group % ROWS == 0 && from + (depth - 1) * stride + group - ROWS + PACKED <= a.length;
      for (int p = 0; p < depth; p++) {
        for (int r = 0; r < group; r += ROWS) {
          int to = (r / ROWS * depth + p) * PACKED;
          if (whole) {
            for (int v = 0; v < PACKED; v += LANES) {
              DoubleVector.fromArray(VectorTile.SPECIES, a, from + p * stride + r + v).intoArray(packedA, to + v);
            }
          } else {
            for (int s = 0; s < ROWS; s++) {
              packedA[to + s] = r + s < group ? a[from + p * stride + r + s] : 0;
            }
          }
        }
      }
    }

    @Override
    public long bytes() {
      return (long) Double.BYTES * values.length;
    }
  }
}
