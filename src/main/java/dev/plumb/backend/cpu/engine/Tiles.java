package dev.plumb.backend.cpu.engine;

/**
 * How the rows of a matrix are dealt out to threads: always in the same tiles, however many threads there are, so that every
 * product is computed by the same calls and comes out the same to the last bit.
 */
public final class Tiles {
  /** Rows of a tile. */
  private static final int ROWS = 256;

  private Tiles() {}

  public static int count(int rows) {
    return (rows + ROWS - 1) / ROWS;
  }

  /** The first row of a tile; of the one behind the last, the number of rows. */
  public static int from(int rows, int tile) {
    return Math.min(rows, tile * ROWS);
  }
}
