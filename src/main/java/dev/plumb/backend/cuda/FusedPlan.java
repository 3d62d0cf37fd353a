package dev.plumb.backend.cuda;

import dev.plumb.backend.Planner;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/** How the threads of a block share the steps of its network, and what they have in shared memory. Immutable. */
final class FusedPlan {
  /** MOST_FUSED_THREADS of the kernels. */
  private static final int MOST_THREADS = 512;
  private static final int WARP = 32;

  /** Threads of a block whose rows are too few for its units: enough to keep a multiprocessor's four schedulers busy. */
  private static final int THREADS_FOR_UNITS = 256;
  /**
   * Where there are more replicas than multiprocessors, up to so many blocks share one, so that some compute while others wait at
   * their barriers; but not if they then have less than this part of the rows that could be there.
   */
  private static final int MOST_SHARING = 4;
  private static final double LEAST_PART_OF_ROWS = 0.8;

  /**
   * On paper, not measured: the multiply-adds of one block in a microsecond, a quarter of what a multiprocessor of a data centre's
   * card can do (128 in single precision and 64 in double, at 1.5 GHz), and what a launch in a recorded graph takes at least.
   */
  private static final double SINGLE_PRODUCTS_PER_MICROSECOND = 48_000;
  private static final double DOUBLE_PRODUCTS_PER_MICROSECOND = 24_000;
  private static final double MICROSECONDS_OF_LAUNCH = 2;
  /** The products of a weight in a step: for Z, for dW, and for dA. */
  private static final int PRODUCTS_OF_WEIGHT = 3;

  private final NetworkSpec network;
  private final TrainingSpec training;
  private final int replicas;
  private final int dataRows;
  private final FusedLayers layers;
  private final int rowsOfTile;
  private final int parts;
  private final boolean streamed;
  private final FusedMemory memory;

  /**
   * Plans the steps of a training that has no {@link #obstacle}.
   *
   * @param batch rows of a usual step; others are possible
   * @param dataRows rows of the data that are bound; 0 where there are none
   */
  FusedPlan(NetworkSpec network, TrainingSpec training, int replicas, int batch, int dataRows, CardLimits limits) {
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.dataRows = dataRows;
    layers = new FusedLayers(network, training.precision());
    int longest = (Math.min(batch, MOST_THREADS) + WARP - 1) / WARP * WARP;
    int fitting = fittingRows(longest, limits);
    streamed = fitting == 0;
    rowsOfTile = streamed ? Math.min(longest, THREADS_FOR_UNITS) : fitting;
    int widest = network.widths().stream().skip(1).max(Integer::compare).orElseThrow();
    int chunks = (widest + FusedLayers.UNITS - 1) / FusedLayers.UNITS;
    parts = Math.max(1, Math.min(chunks, THREADS_FOR_UNITS / rowsOfTile));
    FusedMemory withData = memory(rowsOfTile, dataRows);
    memory = withData.bytes() <= limits.sharedOfBlock() ? withData : memory(rowsOfTile, 0);
  }

  /** Rows of a tile that fits shared memory, in whole warps; 0 where not even one warp's do. */
  private int fittingRows(int longest, CardLimits limits) {
    int alone = fittingRows(longest, 1, limits);
    if (replicas <= limits.multiprocessors()) {
      return alone;
    }
    int most = alone;
    for (int sharing = MOST_SHARING; sharing > 1; sharing /= 2) {
      most = Math.max(most, sharing * fittingRows(longest, sharing, limits));
    }
    for (int sharing = MOST_SHARING; sharing > 1; sharing /= 2) {
      int rows = fittingRows(longest, sharing, limits);
      if (rows > 0 && sharing * rows >= LEAST_PART_OF_ROWS * most) {
        return rows;
      }
    }
    return alone;
  }

  private int fittingRows(int longest, int sharing, CardLimits limits) {
    long available = Math.min(
        limits.sharedOfBlock(), limits.sharedOfMultiprocessor() / sharing - limits.reservedOfBlock());
    int rows = longest;
    while (rows > 0 && FusedMemory.of(layers, network, training, rows, true, 0).bytes() > available) {
      rows -= WARP;
    }
    return rows;
  }

  private FusedMemory memory(int rows, int rowsOfData) {
    return FusedMemory.of(layers, network, training, rows, !streamed, rowsOfData);
  }

  /**
   * Why a training is not one for this planner, in words that follow the network's name; empty when it is. A block must hold its
   * network's parameters with a transposed copy, the gradients and the moments; and for AUTO a warp's rows too, since what goes through
   * global memory is no quicker than the layered planner.
   */
  static Optional<String> obstacle(NetworkSpec network, TrainingSpec training, CardLimits limits, Planner planner) {
    if (training.precision() == Precision.TF32) {
      return Optional.of("TF32 is for matrix products on tensor cores");
    }
    FusedLayers layers = new FusedLayers(network, training.precision());
    long vectors = FusedMemory.of(layers, network, training, WARP, false, 0).bytes();
    if (vectors > limits.sharedOfBlock()) {
      return Optional.of("its parameters, gradients and moments take " + vectors + limit(limits));
    }
    long all = FusedMemory.of(layers, network, training, WARP, true, 0).bytes();
    return all > limits.sharedOfBlock() && planner == Planner.AUTO
        ? Optional.of("it takes, with the units of " + WARP + " rows, " + all + limit(limits))
        : Optional.empty();
  }

  private static String limit(CardLimits limits) {
    return " bytes of shared memory, of which a block of this card may have " + limits.sharedOfBlock();
  }

  /**
   * Why steps of so many rows would take a single block longer than the layered planner's launches take, of which the whole card's
   * blocks do the work; empty when they would not. An estimate.
   */
  static Optional<String> excess(NetworkSpec network, TrainingSpec training, int batch) {
    double products = 0;
    for (int l = 0; l < network.layerCount(); l++) {
      products += (double) PRODUCTS_OF_WEIGHT * network.layer(l).in() * network.layer(l).out() * batch;
    }
    double fused = products / (training.precision() == Precision.FP64
        ? DOUBLE_PRODUCTS_PER_MICROSECOND : SINGLE_PRODUCTS_PER_MICROSECOND);
    double layered = StepPlan.launches(network) * MICROSECONDS_OF_LAUNCH;
    return fused <= layered ? Optional.empty() : Optional.of("a step of " + batch + " rows has " + Math.round(products / 1e6)
        + " million products, which are too many for one block");
  }

  /** struct FusedPlan of the kernels, in its order. */
  long[] words() {
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
      layers.vector(), layers.units(), layers.columns(), rowsOfTile, parts,
      new PaddedLayout(network, training.precision()).size(), replicas, dataRows, memory.norms(), memory.rowLosses(),
      memory.totals(), memory.parameters(), memory.gradients(), memory.moment1(), memory.moment2(), memory.transposed(),
      memory.tile(), memory.x(), memory.targets(),
    };
  }

  private static long word(double value) {
    return Double.doubleToRawLongBits(value);
  }

  FusedLayers layers() {
    return layers;
  }

  FusedMemory memory() {
    return memory;
  }

  /** Whether tiles of rows are in global memory. */
  boolean isStreamed() {
    return streamed;
  }

  int rowsOfTile() {
    return rowsOfTile;
  }

  /** Elements of a replica's tile. */
  long tileElements() {
    return FusedMemory.tileElements(layers, rowsOfTile);
  }

  /** Of a block: one for each row of a tile, or several where layers are wide. */
  int threads() {
    return rowsOfTile * parts;
  }
}
