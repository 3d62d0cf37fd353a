package dev.plumb.backend.cuda.device;

import dev.plumb.model.Bfloat16;
import dev.plumb.model.Precision;

/**
 * How the factors of matrix products (X, W, A of hidden layers, and delta) are stored on the device. In bf16 they are matrices of
 * bfloat16 whose rows are aligned to 16 bytes, which tensor cores need for their fastest loads; sums and everything else are
 * single-precision. In all other precisions factors are stored like everything else, without gaps between rows.
 */
public enum FactorFormat {
  /** Numbers of the session's precision, without gaps. */
  PLAIN,
  /** Numbers of bfloat16, in rows aligned to 16 bytes. */
  BFLOAT16;

  private static final int ALIGNED_COLUMNS = 16 / Bfloat16.BYTES;

  /** Returns the format for a session's precision. */
  public static FactorFormat of(Precision precision) {
    return precision.roundsFactors() ? BFLOAT16 : PLAIN;
  }

  /** Returns whether factors are rounded copies, stored apart from the single-precision numbers that they come from. */
  public boolean isRounded() {
    return this == BFLOAT16;
  }

  /** Returns the pitch of a matrix: the number of elements from one row to the next. */
  public int pitch(int columns) {
    return this == BFLOAT16 ? (int) Launches.ceilDiv(columns, ALIGNED_COLUMNS) * ALIGNED_COLUMNS : columns;
  }

  /** Returns the size in bytes of one number of a factor. */
  public int bytes(Precision precision) {
    return this == BFLOAT16 ? Bfloat16.BYTES : Transfers.bytesOf(precision);
  }
}
