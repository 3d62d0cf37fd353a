package dev.plumb.backend.cuda;

import dev.plumb.backend.cuda.DeviceArena.Slice;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.List;

/** What a step computes on its way, for batches of up to a number of rows; all replicas of each, one after the other. */
final class Workspace {
  private final int rows;
  private final DeviceArena arena;
  /** Per layer [rows x units]; the last layer is linear, so its A is its Z. */
  private final List<Buffer> z = new ArrayList<>();
  private final List<Buffer> a = new ArrayList<>();
  private final List<Buffer> delta = new ArrayList<>();
  /** A byte an element of each hidden layer: whether dropout kept it. Empty without dropout. */
  private final List<Buffer> kept = new ArrayList<>();
  /** The gathered batch: X [rows x inputs], and Y [rows x outputs] or int labels [rows]. */
  final Buffer x;
  final Buffer targets;
  /** Bias gradients of each segment of rows, and the loss of each block, in double. */
  final Buffer segmentSums;
  final Buffer lossPartials;
  /** The words of a {@link ProductTable} for each plan. */
  final Slice productTables;

  /** @param plans that may use it at a time */
  Workspace(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, int rows, int plans, boolean guards) {
    Loss loss = training.loss();
    this.rows = rows;
    arena = new DeviceArena(context, "activations of " + rows + " rows", guards);
    long row = (long) replicas * rows;
    int bytes = Transfers.bytesOf(training.precision());
    int widest = 0;
    for (int layer = 0; layer < network.layerCount(); layer++) {
      int units = network.layer(layer).out();
      boolean last = layer == network.layerCount() - 1;
      z.add(buffer("Z of layer " + layer, row * units * bytes));
      a.add(last ? z.get(layer) : buffer("A of layer " + layer, row * units * bytes));
      delta.add(buffer("delta of layer " + layer, row * units * bytes));
      if (training.dropout().isPresent() && !last) {
        kept.add(buffer("what is kept of layer " + layer, row * units));
      }
      widest = Math.max(widest, units);
    }
    x = buffer("X of the batch", row * network.inputs() * bytes);
    targets = buffer("targets of the batch",
        loss == Loss.CROSS_ENTROPY ? row * Integer.BYTES : row * network.outputs() * bytes);
    segmentSums = buffer("bias gradients by segment", (long) replicas * LayerNodes.segments(rows) * widest * bytes);
    lossPartials = buffer("losses by block",
        (long) replicas * LayerNodes.lossBlocks(loss, rows, network.outputs()) * Double.BYTES);
    productTables = arena.reserve("tables of layers", plans * ProductTable.bytes(network));
    arena.allocate();
  }

  private Buffer buffer(String name, long bytes) {
    return new Buffer(arena.reserve(name, bytes));
  }

  int rows() {
    return rows;
  }

  Buffer z(int layer) {
    return z.get(layer);
  }

  Buffer a(int layer) {
    return a.get(layer);
  }

  Buffer delta(int layer) {
    return delta.get(layer);
  }

  /** Null where nothing is dropped. */
  Buffer kept(int layer) {
    return layer < kept.size() ? kept.get(layer) : null;
  }

  DeviceArena arena() {
    return arena;
  }
}
