package dev.plumb.data;

import dev.plumb.model.Precision;

/**
 * Use of a table after it is read, from which the memory it needs is estimated.
 *
 * @param bytesPerValue memory of an encoded value; 0 if rows are encoded in small pieces
 * @param releasesTable whether the table's memory is released while its rows are encoded
 */
public record TableUse(int bytesPerValue, boolean releasesTable) {
  /** Encoded as doubles and kept: the default. */
  public static final TableUse ENCODED = encoded(Precision.FP64);

  /** Encoded in small pieces, as for predictions. */
  public static final TableUse IN_PIECES = new TableUse(0, false);

  /**
   * Returns the use of a table that is encoded and kept.
   *
   * @param held precision in which features are held
   * @return the use
   */
  public static TableUse encoded(Precision held) {
    return new TableUse(held == Precision.FP64 ? Double.BYTES : Float.BYTES, false);
  }

  /**
   * Returns the use of a table that is released while it is encoded.
   *
   * @param held precision in which features are held
   * @return the use
   */
  public static TableUse released(Precision held) {
    return new TableUse(encoded(held).bytesPerValue, true);
  }
}
