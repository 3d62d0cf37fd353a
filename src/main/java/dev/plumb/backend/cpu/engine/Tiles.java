package dev.plumb.backend.cpu.engine;

import dev.plumb.model.NetworkSpec;

/**
 * The division of a matrix into tiles of rows, which threads share. Tiles do not depend on the number of threads, so every
 * product is computed by the same calls and has the same bits.
 *
 * <p>A BLAS packs the right matrix again for each tile. Measured on two cores with AVX2, tiles of 256 rows reduce throughput by 4
 * to 8 % compared with whole matrices, tiles of 512 rows by about 1 %, and tiles of a transposed matrix by twice as much.
 */
public final class Tiles {
  /** Minimum number of rows for which a separate packing pays off. */
  private static final int MIN_ROWS = 128;

  /** Maximum number of rows where the left matrix is stored as it is used. */
  private static final int MAX_ROWS = 512;

  /** Maximum number of rows where the left matrix is stored as its transpose. */
  private static final int MAX_TRANSPOSED_ROWS = 1024;

  /**
   * Rows of the innermost loop where the right matrix is packed only once. Tiles have up to four times as many, and there are
   * about TARGET_PACKED_TILES, so that all threads finish at about the same time.
   */
  private static final int MIN_PACKED_ROWS = 12;
  private static final int MAX_PACKED_ROWS = 48;
  private static final int TARGET_PACKED_TILES = 20;

  private final int rows;
  private final int size;

  /** @param maxRows upper bound; below it a tile is half of the matrix, so that two threads have work */
  private Tiles(int rows, int maxRows, boolean packedOnce) {
    this.rows = rows;
    size = packedOnce
        ? Math.max(MIN_PACKED_ROWS, Math.min(MAX_PACKED_ROWS, rows / TARGET_PACKED_TILES / MIN_PACKED_ROWS * MIN_PACKED_ROWS))
        : Math.max(MIN_ROWS, Math.min(maxRows, (rows / 2 + 31) / 32 * 32));
  }

  /**
   * Returns the tiles of a product whose left matrix is stored as it is used.
   *
   * @param packedOnce as {@link Gemm#packsOnce}
   */
  public static Tiles of(int rows, boolean packedOnce) {
    return new Tiles(rows, MAX_ROWS, packedOnce);
  }

  /** Returns the tiles of a product whose left matrix is stored as its transpose. */
  public static Tiles ofTransposed(int rows, boolean packedOnce) {
    return new Tiles(rows, MAX_TRANSPOSED_ROWS, packedOnce);
  }

  /** Returns whether the products of any layer are divided into more than one tile. */
  public static boolean isDivided(NetworkSpec network) {
    return network.widths().stream().anyMatch(width -> of(width, false).count() > 1);
  }

  /** Returns the number of tiles. */
  public int count() {
    return (rows + size - 1) / size;
  }

  /** Returns the first row of a tile; for the index after the last tile, the number of rows. */
  public int from(int tile) {
    return Math.min(rows, tile * size);
  }
}
