package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A plan for the general fused kernel: the division of a batch into tiles, the threads per row, and the layout of shared memory.
 * Immutable.
 *
 * <p>The plan chooses the number of blocks per multiprocessor and the number of rows per tile. A block is latency-bound: in each
 * tile a thread computes its row through the layers, one dependent operation after another, and then sums gradients over its
 * warp's rows. Blocks on the same multiprocessor hide each other's latency, but each has less memory, and so shorter tiles and
 * more of them. {@link Tiling#clocks} estimates this latency, and the time for which shared memory is busy, which more blocks do
 * not shorten. The plan uses the smallest number of blocks whose estimate is within {@link #TOLERANCE} of the best. Registers
 * allow {@link #MAX_THREADS} threads per multiprocessor, in any number of blocks; and there are no more blocks than replicas.
 *
 * <p>The batch is divided into the smallest number of tiles that fit, as short as that number allows, in whole warps: if 192 rows
 * fit, 400 rows become 160 + 160 + 80 and not 192 + 192 + 16, because a tile of 16 rows takes as long as one of 160. Shorter
 * batches, and the rows of an inference, use tiles of the same length.
 *
 * <p>The data are copied to shared memory if they fit next to the tile and the planned number of blocks still fits the
 * multiprocessor. Otherwise a tile reads its rows from L1 or L2, which costs some hundred clocks; shorter tiles or fewer blocks
 * would cost thousands.
 */
public final class FusedPlan implements BlockPlan {
  /** MAX_FUSED_THREADS of the kernels: the limit for a block, and for all blocks on a multiprocessor because of its registers. */
  private static final int MAX_THREADS = 512;
  private static final int WARP = 32;

  /** The number of threads of a block with few rows and many units: enough to keep a multiprocessor's four schedulers busy. */
  private static final int THREADS_FOR_UNITS = 256;

  /** The largest planned number of blocks per multiprocessor. More can run at the same time if they are small. */
  private static final int MAX_SHARING = 4;
  /** Estimates that differ by less than this factor count as equal. */
  private static final double TOLERANCE = 1.1;

  /**
   * Estimates in clocks of a thread in fp32; the choices that follow from them were checked on an H200 (FusedPlanTest). They are
   * for an input of up to 8 units (3 reads of shared memory, 8 multiply-adds, the loop unrolled by 8), for a unit's activation
   * and derivative, and for a row of a gradient's item (8 reads, 20 operations). In fp64 all three take about 1.5 times as long,
   * which changes no choice. The kernels read less since those measurements; the values of scripts/kernel-report, 20, 5 and 30
   * clocks and 2 reads instead of 3 below, would change few choices, none of them measured.
   */
  private static final int CLOCKS_OF_CHUNK = 20;
  private static final int CLOCKS_OF_UNIT = 20;
  private static final int CLOCKS_OF_GRADIENT_ROW = 40;
  /** Clocks for which a warp occupies the multiprocessor's shared memory in the same work; twice as many in fp64. */
  private static final int READS_OF_CHUNK = 3;
  private static final int READS_OF_UNIT = 2;
  private static final int READS_OF_GRADIENT_ROW = 8;

  private final NetworkSpec network;
  private final TrainingSpec training;
  private final int replicas;
  private final int dataRows;
  private final FusedLayers layers;
  private final Tiling tiling;
  private final FusedMemory memory;

  /**
   * A division of batches into tiles.
   *
   * @param sharing the number of blocks that fit the memory and registers of a multiprocessor
   * @param rows the number of rows of a tile
   * @param parts the number of threads per row
   * @param tiles the number of tiles of a batch
   */
  private record Tiling(int sharing, int rows, int parts, int tiles) {
    /** Returns the estimated clocks per step, averaged over the blocks on a multiprocessor. */
    double clocks(FusedLayers layers, NetworkSpec network, int batch, Precision precision) {
      double latency = 0;
      double reads = 0;
      for (int l = 0; l < network.layerCount(); l++) {
        int in = network.layer(l).in();
        int out = network.layer(l).out();
        latency += CLOCKS_OF_CHUNK * (in * rounds(out) + (l == 0 ? 0 : out * rounds(in)))
            + CLOCKS_OF_UNIT * Math.min(out, rounds(out) * FusedLayers.UNITS);
        reads += READS_OF_CHUNK * (in * chunks(out) + (l == 0 ? 0 : out * chunks(in))) + READS_OF_UNIT * out;
      }
      double waiting = tiles * (latency + Math.ceil((double) layers.items() / (WARP * parts)) * WARP * CLOCKS_OF_GRADIENT_ROW);
      double busy = (reads * Math.ceil((double) batch / WARP)
          + Math.ceil((double) layers.items() / WARP) * batch * READS_OF_GRADIENT_ROW)
          * (precision == Precision.FP64 ? 2 : 1);
      return Math.max(waiting / sharing, busy);
    }

    private double rounds(int units) {
      return Math.ceil(chunks(units) / parts);
    }
  }

  /**
   * Plans the steps of a training that has no {@link #unsupported} property.
   *
   * @param batch the number of rows of a typical step; others are possible
   * @param dataRows the number of rows of the bound data; 0 for none
   */
  public FusedPlan(NetworkSpec network, TrainingSpec training, int replicas, int batch, int dataRows, DeviceLimits limits) {
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.dataRows = dataRows;
    layers = new FusedLayers(network, training.precision());
    tiling = tiling(batch, limits);
    FusedMemory withData = memory(tiling, dataRows);
    memory = withData.bytes() <= limits.sharedMemory(tiling.sharing()) ? withData : memory(tiling, 0);
  }

  private FusedMemory memory(Tiling candidate, int rowsOfData) {
    return FusedMemory.of(layers, network, training, candidate.rows(), candidate.parts(), rowsOfData);
  }

  private Tiling tiling(int batch, DeviceLimits limits) {
    List<Tiling> candidates = new ArrayList<>();
    int maxSharing = Math.max(1, Math.min(MAX_SHARING, ceilDiv(replicas, limits.multiprocessors())));
    for (int sharing = 1; sharing <= maxSharing; sharing++) {
      longest(batch, sharing, limits.sharedMemory(sharing)).ifPresent(candidates::add);
    }
    double best = candidates.stream().mapToDouble(candidate -> clocks(candidate, batch)).min().orElseThrow();
    return candidates.stream().filter(candidate -> clocks(candidate, batch) <= TOLERANCE * best).findFirst().orElseThrow();
  }

  /** Returns the smallest number of tiles that fit; empty if not even one warp's rows fit. */
  private Optional<Tiling> longest(int batch, int sharing, long available) {
    int threads = MAX_THREADS / sharing / WARP * WARP;
    for (int tiles = ceilDiv(batch, threads); ; tiles++) {
      int rows = roundUp(ceilDiv(batch, tiles));
      Tiling candidate = new Tiling(sharing, rows, parts(rows, threads), tiles);
      if (memory(candidate, 0).bytes() <= available) {
        return Optional.of(candidate);
      }
      if (rows == WARP) {
        return Optional.empty();
      }
    }
  }

  private int parts(int rows, int threads) {
    int widest = network.widths().stream().skip(1).max(Integer::compare).orElseThrow();
    return (int) Math.max(1, Math.min(chunks(widest), Math.min(THREADS_FOR_UNITS, threads) / rows));
  }

  private double clocks(Tiling candidate, int batch) {
    return candidate.clocks(layers, network, batch, training.precision());
  }

  private static int ceilDiv(int a, int b) {
    return -Math.floorDiv(-a, b);
  }

  /** Returns rows in whole warps. */
  private static int roundUp(int rows) {
    return ceilDiv(rows, WARP) * WARP;
  }

  /** Returns the number of groups of units that a thread sums at once. */
  private static double chunks(int units) {
    return ceilDiv(units, FusedLayers.UNITS);
  }

  /**
   * Returns why the fused kernels cannot train a network, in words that follow the network's name; empty if they can. A block
   * must have room for its network's parameters with a transposed copy, the gradients, the moments, and one warp's rows. A plan
   * shortens its tiles to one warp's rows if longer ones do not fit, so this holds for every batch and for inference.
   */
  public static Optional<String> unsupported(NetworkSpec network, TrainingSpec training, DeviceLimits limits) {
    if (training.precision() != training.precision().storage()) {
      return Optional.of("the fused planner does not support " + training.precision().key());
    }
    if (network.normalization() != Normalization.NONE) {
      return Optional.of("the fused planner does not support " + network.normalization().key() + " normalization");
    }
    if (network.hasResiduals()) {
      return Optional.of("the fused planner does not support residual connections");
    }
    FusedLayers layers = new FusedLayers(network, training.precision());
    long needed = FusedMemory.of(layers, network, training, WARP, 1, 0).bytes();
    long available = limits.sharedMemory(1);
    return needed <= available ? Optional.empty() : Optional.of("its parameters, gradients, moments and " + WARP
        + " rows of activations take " + needed + " bytes of shared memory, but a block of this GPU has at most " + available);
  }

  @Override
  public long[] words() {
    return words(network, training, replicas, dataRows, layers, memory, tiling.rows(), tiling.parts());
  }

  /**
   * Returns the words of struct FusedPlan of the kernels.
   *
   * @param rows the number of rows of a tile
   * @param parts the number of threads per row
   */
  static long[] words(NetworkSpec network, TrainingSpec training, int replicas, int dataRows, FusedLayers layers, FusedMemory memory,
      int rows, int parts) {
    OptimizerSpec optimizer = training.optimizer();
    double decay1 = 0;
    double decay2 = 0;
    double epsilon = 0;
    boolean nesterov = false;
    switch (optimizer.kind()) {
      case SGD -> {
        decay1 = ((OptimizerSpec.Sgd) optimizer).momentum();
        nesterov = ((OptimizerSpec.Sgd) optimizer).nesterov();
      }
      case ADAM, ADAMW -> {
        decay1 = ((OptimizerSpec.Adam) optimizer).beta1();
        decay2 = ((OptimizerSpec.Adam) optimizer).beta2();
        epsilon = ((OptimizerSpec.Adam) optimizer).epsilon();
      }
      case RMSPROP -> {
        decay1 = ((OptimizerSpec.RmsProp) optimizer).alpha();
        epsilon = ((OptimizerSpec.RmsProp) optimizer).epsilon();
      }
    }
    double probability = training.dropout().map(Dropout::probability).orElse(0.0);
    return new long[] {
      word(training.clipNorm().orElse(0)), word(decay1), word(decay2), word(epsilon), word(optimizer.weightDecay()),
      word(1 / (1 - probability)), Math.round(probability * (1L << 32)), training.dropout().map(Dropout::seed).orElse(0L),
      optimizer.kind().ordinal(), nesterov ? 1 : 0, training.loss().ordinal(), network.layerCount(), layers.items(),
      layers.vector(), layers.units(), layers.columns(), rows, parts,
      new PaddedLayout(network, training.precision()).size(), replicas, dataRows, memory.norms(), memory.losses(),
      memory.notFinite(), memory.parameters(), memory.gradients(), memory.partials(), memory.moment1(), memory.moment2(),
      memory.transposed(), memory.tile(), memory.x(), memory.targets(), memory.steps(),
    };
  }

  private static long word(double value) {
    return Double.doubleToRawLongBits(value);
  }

  @Override
  public FusedLayers layers() {
    return layers;
  }

  @Override
  public FusedMemory memory() {
    return memory;
  }

  @Override
  public int rowsOfTile() {
    return tiling.rows();
  }

  @Override
  public String trainingKernel() {
    return "fused_train";
  }

  /** Returns the planned number of blocks per multiprocessor. */
  int sharing() {
    return tiling.sharing();
  }

  /** Returns one thread per row of a tile, or several for wide layers. */
  @Override
  public int threads() {
    return tiling.rows() * tiling.parts();
  }
}
