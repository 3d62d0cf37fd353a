package dev.plumb.backend.cuda.device;

import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.model.Precision;
import jcuda.Pointer;

/**
 * One matrix per replica.
 *
 * @param byteOffset the offset of the first replica's matrix in the slice
 * @param stride the number of elements from one replica's matrix to the next; 0 if all replicas share one
 */
public record Matrix(Slice slice, long byteOffset, long stride) {
  /** struct Pack of the kernels. */
  public static final int PACK_BYTES = 16;

  /** Returns a pointer to the first replica's matrix. */
  public Pointer pointer() {
    return slice.pointer(byteOffset);
  }

  /** Returns the address of the first replica's matrix. */
  public long address() {
    return slice.address() + byteOffset;
  }

  /** Returns whether all rows of all replicas can be read {@link #PACK_BYTES} at a time. */
  public boolean isPacked(int columns, Precision precision) {
    int bytes = Transfers.bytesOf(precision);
    return address() % PACK_BYTES == 0 && (long) columns * bytes % PACK_BYTES == 0 && stride * bytes % PACK_BYTES == 0;
  }
}
