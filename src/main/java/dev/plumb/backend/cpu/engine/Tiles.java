package dev.plumb.backend.cpu.engine;

import dev.plumb.model.NetworkSpec;

/**
 * How the rows of a matrix are dealt out to threads: always in the same tiles, however many threads there are, so that every
 * product is computed by the same calls and comes out the same to the last bit.
 *
 * <p>A BLAS packs the matrix that tiles have in common anew for each of them. Measured on two cores with AVX2, tiles of 256 rows
 * cost 4 to 8 % of the rate of whole matrices, those of 512 about 1 %, and tiles of a transposed matrix twice that.
 */
public final class Tiles {
  /** Below this, a tile is not worth its own packing. */
  private static final int FEWEST = 128;

  /** Most rows of a tile of a matrix as it lies in memory. */
  private static final int MOST = 512;

  /** Most rows of a tile of a transposed matrix. */
  private static final int MAX_TRANSPOSED = 1024;

  /**
   * What the innermost loop takes where the matrix in common is packed once; tiles are up to four times that, and about so many
   * that threads end together.
   */
  private static final int MIN_OF_PACKED = 12;
  private static final int MAX_OF_PACKED = 48;
  private static final int TILES_OF_PACKED = 20;

  private final int rows;
  private final int size;

  /** Half of all, so that two threads have work, and at most so many, so that more threads have, too. */
  private Tiles(int rows, int most, boolean packedOnce) {
    this.rows = rows;
    size = packedOnce
        ? Math.max(MIN_OF_PACKED, Math.min(MAX_OF_PACKED, rows / TILES_OF_PACKED / MIN_OF_PACKED * MIN_OF_PACKED))
        : Math.max(FEWEST, Math.min(most, (rows / 2 + 31) / 32 * 32));
  }

  /**
   * For a product whose left matrix lies in memory as it is used.
   *
   * @param packedOnce as {@link Gemm#packsOnce}
   */
  public static Tiles of(int rows, boolean packedOnce) {
    return new Tiles(rows, MOST, packedOnce);
  }

  /** For a product whose left matrix is the transpose of what lies in memory. */
  public static Tiles ofTransposed(int rows, boolean packedOnce) {
    return new Tiles(rows, MAX_TRANSPOSED, packedOnce);
  }

  /** Whether any layer's products are worth more than one thread. */
  public static boolean isDivided(NetworkSpec network) {
    return network.widths().stream().anyMatch(width -> of(width, false).count() > 1);
  }

  public int count() {
    return (rows + size - 1) / size;
  }

  /** The first row of a tile; of the one behind the last, the number of rows. */
  public int from(int tile) {
    return Math.min(rows, tile * size);
  }
}
