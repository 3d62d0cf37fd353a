package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.data.Dataset;
import dev.plumb.model.Precision;
import java.util.Arrays;

/** The rows that steps take their batches from: X [rows x features], and Y [rows x outputs] or int labels [rows]. */
public final class BoundData {
  /** Numbers copied at once, so that a large data set is not held twice. */
  private static final int NUMBERS_AT_ONCE = 1 << 16;

  private final Dataset data;
  private final DeviceArena arena;
  private final Buffer x;
  private final Buffer targets;

  public BoundData(CudaContext context, Transfers transfers, Dataset data, Precision precision, boolean guards) {
    this.data = data;
    int bytes = Transfers.bytesOf(precision);
    arena = new DeviceArena(context, "data of " + data.rows() + " rows", guards);
    x = new Buffer(arena.reserve("X", (long) data.rows() * data.features() * bytes));
    targets = new Buffer(arena.reserve("targets",
        data.hasClasses() ? (long) data.rows() * Integer.BYTES : (long) data.rows() * data.outputs() * bytes));
    arena.allocate();
    try {
      upload(transfers, data, 0, data.rows(), x, targets, bytes);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** Copies rows of a data set to the beginning of two buffers; without targets where those are null. */
  public static void upload(Transfers transfers, Dataset data, int from, int to, Buffer x, Buffer targets, int bytesOfNumber) {
    int rowsAtOnce = Math.max(1, NUMBERS_AT_ONCE / Math.max(data.features(), data.outputs()));
    for (int first = from; first < to; first += rowsAtOnce) {
      int end = Math.min(first + rowsAtOnce, to);
      int rows = end - first;
      long done = first - from;
      transfers.uploadData(data.featureRows(first, rows), x.slice().pointer(done * data.features() * bytesOfNumber));
      if (targets == null) {
        continue;
      }
      if (data.hasClasses()) {
        int start = first;
        int[] labels = new int[rows];
        Arrays.setAll(labels, i -> data.label(start + i));
        transfers.upload(labels, targets.slice().pointer(done * Integer.BYTES));
      } else {
        transfers.uploadData(data.targetRows(first, rows), targets.slice().pointer(done * data.outputs() * bytesOfNumber));
      }
    }
  }

  /** Returns X [rows x features]. */
  public Buffer x() {
    return x;
  }

  /** Returns Y [rows x outputs], or int labels [rows]. */
  public Buffer targets() {
    return targets;
  }

  public Dataset data() {
    return data;
  }

  public DeviceArena arena() {
    return arena;
  }
}
