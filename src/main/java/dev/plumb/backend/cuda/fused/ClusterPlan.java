package dev.plumb.backend.cuda.fused;

import static dev.plumb.backend.cuda.fused.NarrowPlan.WARP;
import static dev.plumb.backend.cuda.fused.NarrowPlan.ceilDiv;
import static dev.plumb.backend.cuda.fused.NarrowPlan.roundUp;

import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A plan for the kernels that train a narrow network with a cluster of blocks, each on its own multiprocessor
 * ({@code kernels/fused_cluster.cu}): for few networks, on devices of compute capability 9.0 and newer. Results are bit-identical
 * to those of the kernels with one block ({@link NarrowPlan}), so the choice between the two changes only the time.
 *
 * <p>The segments of a batch, 32 rows each, are distributed over the blocks. A batch is one tile if a block's threads and shared
 * memory suffice for its segments, and otherwise the smallest possible number of tiles.
 *
 * <p>There are no such kernels for rows with weights, which one block trains.
 *
 * <p>On an H200 a step of 3-8x8-1 with 400 rows took half the time of one block (kernels/MEASURED.md). {@link #isFaster} estimates
 * other networks and batches from that.
 *
 * @param rowsOfTile the number of rows of a tile, in all blocks together
 * @param words struct FusedPlan of the kernels
 */
public record ClusterPlan(FusedLayers layers, FusedMemory memory, int rowsOfTile, int threads, long[] words, String trainingKernel)
    implements BlockPlan {
  /** CLUSTER of the kernels. */
  static final int BLOCKS = 8;
  /** MAX_CLUSTER_THREADS of the kernels. */
  private static final int MAX_THREADS = 256;
  /** HALF_UNITS of the kernels: the number of elements that a thread updates. */
  private static final int ELEMENTS_OF_THREAD = 4;

  /**
   * In clocks of an H200: estimates of {@code scripts/kernel-report} for the forward and backward pass of one warp's rows through a
   * layer, and for the time for which a segment occupies the path to shared memory in a layer; and what remains of a measured
   * step of 9,500 clocks for the exchange of a tile's gradients between the blocks, and the update.
   */
  private static final double CLOCKS_OF_LAYER = 360;
  private static final double CLOCKS_OF_LAYER_AND_SEGMENT = 170;
  private static final double CLOCKS_OF_EXCHANGE = 6200;
  /** A cluster is used only if its estimated time is below this fraction of the time of one block. */
  private static final double MARGIN = 0.8;
  /** The share of multiprocessors that clusters can use at the same time: 15 clusters of 8 on an H200 with 132. */
  private static final double IN_CLUSTERS = 120.0 / 132;

  /**
   * Plans the steps of a training.
   *
   * @param batch the number of rows of a typical step; others are possible
   * @param dataRows the number of rows of the bound data
   * @return empty if the network is not narrow, or a block has not enough shared memory
   */
  public static Optional<ClusterPlan> of(
      NetworkSpec network, TrainingSpec training, int replicas, int batch, int dataRows, DeviceLimits limits) {
    if (!NarrowPlan.takes(network, training)) {
      return Optional.empty();
    }
    FusedLayers layers = FusedLayers.narrow(network, training.precision());
    int segmentsOfBlock = ceilDiv(ceilDiv(batch, WARP), BLOCKS);
    for (int tiles = ceilDiv(segmentsOfBlock * WARP, MAX_THREADS); ; tiles++) {
      int rows = ceilDiv(segmentsOfBlock, tiles) * WARP;
      FusedMemory memory = FusedMemory.narrow(layers, network, training, rows, BLOCKS);
      if (memory.bytes() <= limits.sharedMemory(1)) {
        int threadsOfUpdate = Math.min(MAX_THREADS, roundUp(ceilDiv((int) layers.vector(), ELEMENTS_OF_THREAD), WARP));
        return Optional.of(new ClusterPlan(layers, memory, rows * BLOCKS, Math.max(rows, threadsOfUpdate),
            FusedPlan.words(network, training, replicas, dataRows, layers, memory, rows * BLOCKS, 1),
            NarrowPlan.kernel("fused_cluster", network)));
      }
      if (rows == WARP) {
        return Optional.empty();
      }
    }
  }

  /**
   * Returns whether a cluster is estimated to be faster than one block: if the device runs all clusters at the same time, and the
   * batch is long enough. The blocks of a cluster run on neighboring multiprocessors, and a device may have fewer groups of eight
   * neighbors than this assumes; the last clusters then wait for the first ones.
   */
  public boolean isFaster(NetworkSpec network, int replicas, int batch, DeviceLimits limits) {
    int segments = ceilDiv(batch, WARP);
    double clusterClocks = clocks(network, ceilDiv(segments, BLOCKS)) + ceilDiv(batch, rowsOfTile) * CLOCKS_OF_EXCHANGE;
    return replicas * BLOCKS <= IN_CLUSTERS * limits.multiprocessors() && clusterClocks < MARGIN * clocks(network, segments);
  }

  private static double clocks(NetworkSpec network, int segmentsOfBlock) {
    return network.layerCount() * Math.max(CLOCKS_OF_LAYER, CLOCKS_OF_LAYER_AND_SEGMENT * segmentsOfBlock);
  }

  @Override
  public int blocks() {
    return BLOCKS;
  }
}
