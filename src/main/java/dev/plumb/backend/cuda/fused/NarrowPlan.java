package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A plan for the training kernels of narrow networks ({@code kernels/fused_narrow.cu}), in which one thread computes one row
 * through layers of at most 8 units. Results are the same as those of the general kernel, except for the sign of a zero.
 *
 * <p>A batch is one tile if that fits, and otherwise the smallest possible number of tiles of whole warps. A single tile may end
 * within a warp: 400 rows of 3-8x8-1 fit, and 416 do not. The plan does not count on several blocks per multiprocessor, but small
 * batches allow it: 8 blocks of 32 rows of 3-8x8-1, or 2 of 128, fit an H200's multiprocessor.
 *
 * @param rowsOfTile the number of rows of a tile
 * @param words struct FusedPlan of the kernels
 */
public record NarrowPlan(FusedLayers layers, FusedMemory memory, int rowsOfTile, long[] words, String trainingKernel) implements BlockPlan {
  static final int WARP = 32;
  /** MAX_FUSED_THREADS of the kernels. */
  private static final int MAX_THREADS = 512;
  /** The number of rows of a tile that ends within a warp is a multiple of this. */
  private static final int ROWS_UNIT = 8;
  private static final Set<Activation> ACTIVATIONS =
      EnumSet.of(Activation.LINEAR, Activation.RELU, Activation.LEAKY_RELU, Activation.SIGMOID, Activation.TANH);

  /**
   * Plans the steps of a training.
   *
   * @param batch the number of rows of a typical step; others are possible
   * @param dataRows the number of rows of the bound data
   * @return empty if the network is not narrow, or not even one warp's rows fit
   */
  public static Optional<NarrowPlan> of(
      NetworkSpec network, TrainingSpec training, int replicas, int batch, int dataRows, DeviceLimits limits) {
    if (!takes(network, training)) {
      return Optional.empty();
    }
    FusedLayers layers = FusedLayers.narrow(network, training.precision());
    for (int tiles = ceilDiv(batch, MAX_THREADS); ; tiles++) {
      int rows = tiles == 1 ? rowsOfOnlyTile(batch, layers) : roundUp(ceilDiv(batch, tiles), WARP);
      FusedMemory memory = FusedMemory.narrow(layers, network, training, rows, 1);
      if (memory.bytes() <= limits.sharedMemory(1)) {
        return Optional.of(new NarrowPlan(layers, memory, rows,
            FusedPlan.words(network, training, replicas, dataRows, layers, memory, rows, 1), kernel("fused_narrow", network)));
      }
      if (rows == WARP) {
        return Optional.empty();
      }
    }
  }

  /**
   * Returns the rows of the only tile: at least one warp's, and enough for the gradients of the last segment, which replace its
   * rows.
   */
  private static int rowsOfOnlyTile(int batch, FusedLayers layers) {
    int beforeLastSegment = (batch - 1) / WARP * WARP;
    int rowsOfGradients = (int) Launches.ceilDiv(layers.vector(), layers.columns());
    return Math.max(WARP, roundUp(Math.max(batch, beforeLastSegment + rowsOfGradients), ROWS_UNIT));
  }

  /**
   * Returns whether there are narrow kernels for a training. They require fp32 without dropout, an activation whose derivative
   * computed from its value has the same bits, hidden layers of at most 8 units, at most 8 inputs and 4 outputs, and no more
   * items of gradients than a warp has threads: 8 hidden layers of 8 units with up to 4 inputs, and 7 with more.
   */
  public static boolean takes(NetworkSpec network, TrainingSpec training) {
    return training.precision() == Precision.FP32 && training.dropout().isEmpty() && ACTIVATIONS.contains(network.activation())
        && network.layerCount() > 1 && network.widths().stream().allMatch(width -> width <= FusedLayers.UNITS)
        && network.outputs() <= FusedLayers.UNITS / 2
        && FusedLayers.narrow(network, training.precision()).items() <= WARP;
  }

  /** Returns the name, without its precision, of the kernel for a network in a family with one kernel per activation. */
  static String kernel(String family, NetworkSpec network) {
    return family + "_" + network.activation().key();
  }

  static int ceilDiv(int a, int b) {
    return (int) Launches.ceilDiv(a, b);
  }

  static int roundUp(int value, int unit) {
    return ceilDiv(value, unit) * unit;
  }

  @Override
  public int threads() {
    return roundUp(rowsOfTile, WARP);
  }
}
