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
 * The layout of the shared memory of a block that trains a network: offsets in bytes. The table of the layers is at offset 0.
 *
 * @param steps two entries of the step table, each with a learning rate; -1 in the narrow kernels
 * @param partials the gradients of a tile's segments of rows after the first, or -1 if each segment stores them in its own
 *     columns; in a cluster of blocks, the block's share of the gradients of all segments
 * @param x the data, or -1 if they stay in global memory
 * @param bytes the total size
 */
record FusedMemory(
    long norms, long losses, long notFinite, long steps, long parameters, long gradients, long partials, long moment1, long moment2,
    long transposed, long tile, long x, long targets, long bytes) {
  private static final int ALIGNMENT = 16;
  /** The size of struct OwnStep of the kernel. */
  private static final int STEP_BYTES = StepTable.STEP_BYTES + Double.BYTES;
  private static final int WARP = 32;

  /**
   * Returns the layout for the general kernel.
   *
   * @param rows the number of rows of a tile, whole warps
   * @param parts the number of threads per row
   * @param dataRows the number of rows of data to be copied to shared memory; 0 for none
   */
  static FusedMemory of(FusedLayers layers, NetworkSpec network, TrainingSpec training, int rows, int parts, int dataRows) {
    int valueBytes = Transfers.bytesOf(training.precision());
    Set<Slot> kept = Slot.stateOf(training.optimizer());
    long vector = layers.vector() * valueBytes;
    int segments = rows / WARP;
    long norms = roundUp(layers.tableBytes());
    long losses = roundUp(norms + 2L * network.layerCount() * Double.BYTES);
    long notFinite = roundUp(losses + (long) segments * Double.BYTES);
    long steps = roundUp(notFinite + 2 * Integer.BYTES);
    long parameters = roundUp(steps + 2 * STEP_BYTES);
    long gradients = parameters + vector;
    long partials = roundUp(gradients + vector);
    long moment1 = partials
        + (partialsFitTheTile(layers, parts) ? 0 : (segments - 1) * ((layers.vector() + WARP - 1) / WARP * WARP) * valueBytes);
    long moment2 = moment1 + (kept.contains(Slot.MOMENT1) ? vector : 0);
    long transposed = moment2 + (kept.contains(Slot.MOMENT2) ? vector : 0);
    long tile = transposed + layers.transposed() * valueBytes;
    long x = tile + layers.columns() * ((long) rows * valueBytes + ALIGNMENT);
    long targets = roundUp(x + (long) dataRows * network.inputs() * valueBytes);
    long bytes = roundUp(targets + dataRows
        * (training.loss() == Loss.CROSS_ENTROPY ? Integer.BYTES : (long) network.outputs() * valueBytes));
    return new FusedMemory(norms, losses, notFinite, steps, parameters, gradients, partialsFitTheTile(layers, parts) ? -1 : partials,
        moment1, moment2, transposed, tile, dataRows > 0 ? x : -1, targets, bytes);
  }

  /**
   * Returns the layout for the kernels of narrow networks. The data stay in global memory.
   *
   * @param rows the number of rows of a tile, per block
   * @param blocks the number of blocks that train one network; each block of a cluster stores the gradients of all segments of
   *     the tile for its share of the elements
   */
  static FusedMemory narrow(FusedLayers layers, NetworkSpec network, TrainingSpec training, int rows, int blocks) {
    int valueBytes = Transfers.bytesOf(training.precision());
    Set<Slot> kept = Slot.stateOf(training.optimizer());
    long vector = layers.vector() * valueBytes;
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
    long tile = transposed + layers.transposed() * valueBytes;
    long bytes = tile + layers.columns() * rows * valueBytes;
    return new FusedMemory(norms, losses, notFinite, -1, parameters, gradients, blocks == 1 ? -1 : partials, moment1, moment2, transposed,
        tile, -1, bytes, bytes);
  }

  /**
   * Returns whether a segment's gradients can replace its rows in the tile: only its own warp reads these rows, it has read all
   * of them before it writes, and the gradients are no more than the values of the rows.
   */
  private static boolean partialsFitTheTile(FusedLayers layers, int parts) {
    return parts == 1 && layers.items() <= WARP && layers.vector() <= layers.columns() * WARP;
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
