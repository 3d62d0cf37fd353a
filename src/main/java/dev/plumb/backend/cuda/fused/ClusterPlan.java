package dev.plumb.backend.cuda.fused;

import static dev.plumb.backend.cuda.fused.NarrowPlan.WARP;
import static dev.plumb.backend.cuda.fused.NarrowPlan.ceilDiv;
import static dev.plumb.backend.cuda.fused.NarrowPlan.roundUp;

import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A plan for the training kernels of narrow networks that train one network by a cluster of blocks, each on a multiprocessor of its own
 * ({@code kernels/fused_cluster.cu}): for few networks, on devices of compute capability 9.0 and newer. Results are the same as those of
 * the kernels of one block ({@link NarrowPlan}), bit for bit, so a choice between the two changes only the time.
 *
 * <p>The segments of a batch, 32 rows each, are dealt to the blocks. A batch is one tile where a block's threads and shared memory
 * suffice for its segments, and otherwise the fewest tiles.
 *
 * <p>These kernels have not run on a GPU yet. {@link #isFaster} rests on estimates, and clusters are off by default.
 *
 * @param rowsOfTile of a batch at once, by all blocks together
 * @param words struct FusedPlan of the kernels
 */
public record ClusterPlan(FusedLayers layers, FusedMemory memory, int rowsOfTile, int threads, long[] words, String trainingKernel)
    implements BlockPlan {
  /** CLUSTER of the kernels. */
  static final int BLOCKS = 8;
  /** MAX_CLUSTER_THREADS of the kernels. */
  private static final int MAX_THREADS = 256;
  /** HALF_UNITS of the kernels: elements that a thread updates. */
  private static final int ELEMENTS_OF_THREAD = 4;

  /**
   * Estimates by {@code scripts/kernel-report} for an H200, in clocks: a single warp takes its rows through a layer, forward and
   * back, in the first; the second is for how long a segment keeps the path to shared memory busy in a layer; the third is what the
   * blocks need to exchange the gradients of a tile (kernels/fused_cluster.cu).
   */
  private static final double CLOCKS_OF_LAYER_ALONE = 360;
  private static final double CLOCKS_OF_LAYER_AND_SEGMENT = 170;
  private static final double CLOCKS_OF_EXCHANGE = 2300;
  /** A cluster must be estimated to take less than this part of the time of one block. */
  private static final double MARGIN = 0.8;

  /**
   * Plans the steps of a training.
   *
   * @param batch rows of a usual step; others are possible
   * @param dataRows rows of the data that are bound
   * @return empty where the network is not narrow, or a block has not enough shared memory
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
   * Returns whether a cluster is estimated to be faster than one block: where the device has as many multiprocessors as all networks'
   * blocks together, and the batch is long enough. The blocks of a cluster run on neighboring multiprocessors, of which a device may have
   * fewer groups of eight than this counts; the last clusters then wait for the first ones.
   */
  public boolean isFaster(NetworkSpec network, int replicas, int batch, DeviceLimits limits) {
    int segments = ceilDiv(batch, WARP);
    double ofCluster = clocks(network, ceilDiv(segments, BLOCKS)) + ceilDiv(batch, rowsOfTile) * CLOCKS_OF_EXCHANGE;
    return (long) replicas * BLOCKS <= limits.multiprocessors() && ofCluster < MARGIN * clocks(network, segments);
  }

  private static double clocks(NetworkSpec network, int segmentsOfBlock) {
    return network.layerCount() * Math.max(CLOCKS_OF_LAYER_ALONE, CLOCKS_OF_LAYER_AND_SEGMENT * segmentsOfBlock);
  }

  @Override
  public int blocks() {
    return BLOCKS;
  }
}
