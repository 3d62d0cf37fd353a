package dev.plumb.backend.cuda;

import dev.plumb.backend.cuda.DeviceArena.Slice;
import dev.plumb.backend.cuda.Products.Matrix;

/** A slice that holds one matrix of every replica, each [rows x columns] of the running batch, one right after the other. */
record Buffer(Slice slice) {
  long address() {
    return slice.address();
  }

  Matrix matrix(int rows, int columns) {
    return new Matrix(slice, 0, (long) rows * columns);
  }
}
