package dev.plumb.backend.cuda.device;

import dev.plumb.model.Bfloat16;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * How the factors of matrix products (X, W, A of hidden layers, and delta) are stored on the device. In bf16 they are matrices of
 * bfloat16 whose rows are aligned to 16 bytes, so that cuBLAS can load them in the largest pieces; the sizes of products are not
 * padded. Sums and everything else are single-precision. In all other precisions factors are stored like everything else, without
 * gaps between rows.
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

  /**
   * Returns the pitch of a layer's Z and of dLoss/dA: that of factors, except in the last layer, whose outputs the loss reads
   * without gaps.
   */
  public int resultPitch(NetworkSpec network, int layer) {
    int units = network.layer(layer).out();
    return layer == network.layerCount() - 1 ? units : pitch(units);
  }

  /** Returns rows with the padding that their pitch requires, which is 0. */
  public double[] pad(double[] values, int columns) {
    int pitch = pitch(columns);
    double[] padded = new double[values.length / columns * pitch];
    for (int i = 0; i < values.length; i++) {
      padded[i / columns * pitch + i % columns] = values[i];
    }
    return padded;
  }

  /** Returns the size in bytes of one number of a factor. */
  public int bytes(Precision precision) {
    return this == BFLOAT16 ? Bfloat16.BYTES : Transfers.bytesOf(precision);
  }
}
