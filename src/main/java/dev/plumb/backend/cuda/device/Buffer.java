package dev.plumb.backend.cuda.device;

import dev.plumb.backend.cuda.device.DeviceArena.Slice;

/** A slice with one matrix [rows of the batch x columns] per replica, without gaps. */
public record Buffer(Slice slice) {
  /** Returns the device address. */
  public long address() {
    return slice.address();
  }

  /** Returns the matrices, each [rows x columns]. */
  public Matrix matrix(int rows, int columns) {
    return new Matrix(slice, 0, (long) rows * columns);
  }
}
