package dev.plumb.backend.cuda;

import dev.plumb.backend.Slot;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Set;

/**
 * Where everything lies in the shared memory of a block that trains a network: bytes from its beginning, which is the layers' table.
 *
 * @param x the data, or -1 where they stay in global memory
 * @param bytes of all of it
 */
record FusedMemory(
    long norms, long rowLosses, long totals, long parameters, long gradients, long moment1, long moment2, long transposed, long tile,
    long x, long targets, long bytes) {
  private static final int ALIGNMENT = 16;
  /** struct Totals of the kernels. */
  private static final int TOTALS_BYTES = 16;

  /**
   * Places all that is needed.
   *
   * @param rows of a tile
   * @param tileInside whether the tile is there, and not in global memory
   * @param dataRows rows of the data that are copied there; 0 for none
   */
  static FusedMemory of(
      FusedLayers layers, NetworkSpec network, TrainingSpec training, int rows, boolean tileInside, int dataRows) {
    int number = Transfers.bytesOf(training.precision());
    Set<Slot> kept = Slot.stateOf(training.optimizer());
    long vector = layers.vector() * number;
    long norms = roundUp(layers.tableBytes());
    long rowLosses = roundUp(norms + 2L * network.layerCount() * Double.BYTES);
    long totals = roundUp(rowLosses + (long) rows * Double.BYTES);
    long parameters = roundUp(totals + TOTALS_BYTES);
    long gradients = parameters + vector;
    long moment1 = gradients + vector;
    long moment2 = moment1 + (kept.contains(Slot.MOMENT1) ? vector : 0);
    long transposed = moment2 + (kept.contains(Slot.MOMENT2) ? vector : 0);
    long tile = transposed + layers.transposed() * number;
    long x = roundUp(tile + (tileInside ? tileElements(layers, rows) * number : 0));
    long targets = roundUp(x + (long) dataRows * network.inputs() * number);
    long bytes = roundUp(targets + dataRows
        * (training.loss() == Loss.CROSS_ENTROPY ? Integer.BYTES : (long) network.outputs() * number));
    return new FusedMemory(norms, rowLosses, totals, parameters, gradients, moment1, moment2, transposed, tile,
        dataRows > 0 ? x : -1, targets, bytes);
  }

  /** Elements of a tile: one row more than it has, so that its columns begin in different banks. */
  static long tileElements(FusedLayers layers, int rows) {
    return layers.columns() * (rows + 1);
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
