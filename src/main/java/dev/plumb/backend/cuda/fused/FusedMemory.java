package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.StepTable;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Set;

/**
 * Where everything lies in the shared memory of a block that trains a network: bytes from its beginning, which is the layers' table.
 *
 * @param steps two entries of the step table, each with a learning rate; the narrow kernel has none
 * @param partials gradients of a tile's segments of rows after the first, or -1 where each segment has them in its own columns; in a
 *     cluster of blocks, of all segments the block's share
 * @param x the data, or -1 where they stay in global memory
 * @param bytes of all of it
 */
record FusedMemory(
    long norms, long losses, long notFinite, long steps, long parameters, long gradients, long partials, long moment1, long moment2,
    long transposed, long tile, long x, long targets, long bytes) {
  private static final int ALIGNMENT = 16;
  /** struct OwnStep of the kernel. */
  private static final int BYTES_OF_STEP = StepTable.STEP_BYTES + Double.BYTES;
  private static final int WARP = 32;

  /**
   * Places all that is needed.
   *
   * @param rows of a tile, whole warps
   * @param parts threads per row
   * @param dataRows rows of the data that are copied there; 0 for none
   */
  static FusedMemory of(FusedLayers layers, NetworkSpec network, TrainingSpec training, int rows, int parts, int dataRows) {
    int number = Transfers.bytesOf(training.precision());
    Set<Slot> kept = Slot.stateOf(training.optimizer());
    long vector = layers.vector() * number;
    int segments = rows / WARP;
    long norms = roundUp(layers.tableBytes());
    long losses = roundUp(norms + 2L * network.layerCount() * Double.BYTES);
    long notFinite = roundUp(losses + (long) segments * Double.BYTES);
    long steps = roundUp(notFinite + 2 * Integer.BYTES);
    long parameters = roundUp(steps + 2 * BYTES_OF_STEP);
    long gradients = parameters + vector;
    long partials = roundUp(gradients + vector);
    long moment1 = partials
        + (partialsFitTheTile(layers, parts) ? 0 : (segments - 1) * ((layers.vector() + WARP - 1) / WARP * WARP) * number);
    long moment2 = moment1 + (kept.contains(Slot.MOMENT1) ? vector : 0);
    long transposed = moment2 + (kept.contains(Slot.MOMENT2) ? vector : 0);
    long tile = transposed + layers.transposed() * number;
    long x = tile + layers.columns() * ((long) rows * number + ALIGNMENT);
    long targets = roundUp(x + (long) dataRows * network.inputs() * number);
    long bytes = roundUp(targets + dataRows
        * (training.loss() == Loss.CROSS_ENTROPY ? Integer.BYTES : (long) network.outputs() * number));
    return new FusedMemory(norms, losses, notFinite, steps, parameters, gradients, partialsFitTheTile(layers, parts) ? -1 : partials,
        moment1, moment2, transposed, tile, dataRows > 0 ? x : -1, targets, bytes);
  }

  /**
   * Places all that the kernels of narrow networks need; the data stay in global memory.
   *
   * @param rows of a tile, per block
   * @param blocks that train one network; those of a cluster have the gradients of the tile's segments, each for its share of elements
   */
  static FusedMemory narrow(FusedLayers layers, NetworkSpec network, TrainingSpec training, int rows, int blocks) {
    int number = Transfers.bytesOf(training.precision());
    Set<Slot> kept = Slot.stateOf(training.optimizer());
    long vector = layers.vector() * number;
    long norms = roundUp(layers.tableBytes());
    long losses = roundUp(norms + 2L * network.layerCount() * Double.BYTES);
    long segments = blocks * Launches.ceilDiv(rows, WARP);
    long notFinite = roundUp(losses + segments * Double.BYTES);
    long parameters = roundUp(notFinite + 2 * Integer.BYTES);
    long gradients = parameters + vector;
    long partials = gradients + vector;
    long share = roundUp(Launches.ceilDiv(vector, blocks));
    long moment1 = partials + (blocks == 1 ? 0 : segments * share);
    long moment2 = moment1 + (kept.contains(Slot.MOMENT1) ? vector : 0);
    long transposed = moment2 + (kept.contains(Slot.MOMENT2) ? vector : 0);
    long tile = transposed + layers.transposed() * number;
    long bytes = tile + layers.columns() * rows * number;
    return new FusedMemory(norms, losses, notFinite, -1, parameters, gradients, blocks == 1 ? -1 : partials, moment1, moment2, transposed,
        tile, -1, bytes, bytes);
  }

  /**
   * Whether a segment's gradients may replace its rows in the tile: its warp must be the only one that reads them, must have read them
   * all before it writes, and the gradients must not be more than its rows have numbers.
   */
  private static boolean partialsFitTheTile(FusedLayers layers, int parts) {
    return parts == 1 && layers.items() <= WARP && layers.vector() <= layers.columns() * WARP;
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
