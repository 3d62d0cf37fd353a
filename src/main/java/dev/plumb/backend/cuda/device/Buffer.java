package dev.plumb.backend.cuda.device;

import dev.plumb.backend.cuda.device.DeviceArena.Slice;

/** A slice that holds one matrix of every replica, each [rows x columns] of the running batch, one right after the other. */
public record Buffer(Slice slice) {
  public long address() {
    return slice.address();
  }

  public Matrix matrix(int rows, int columns) {
    return new Matrix(slice, 0, (long) rows * columns);
  }
}
