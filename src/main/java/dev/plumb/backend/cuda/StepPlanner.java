package dev.plumb.backend.cuda;

import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.fused.BlockPlan;
import dev.plumb.backend.cuda.fused.ClusterPlan;
import dev.plumb.backend.cuda.fused.FusedPlan;
import dev.plumb.backend.cuda.fused.FusedRunner;
import dev.plumb.backend.cuda.fused.NarrowPlan;
import dev.plumb.backend.cuda.layered.SmallProducts;
import dev.plumb.backend.cuda.layered.StepPlan;
import dev.plumb.backend.cuda.layered.StepRunner;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable;
import dev.plumb.backend.cuda.session.Steps;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Chooses for a session who takes its steps, and who computes outputs outside of them: whole networks in blocks, or layers. */
final class StepPlanner {
  /**
   * Multiply-adds of one block per microsecond, and the time of one of the layered planner's launches, products included, on an H200
   * (kernels/MEASURED.md). 3-8x8-1 with 400 rows took 10.3 us by the narrow kernel, before there was one per activation, 17.8 us by
   * the general one and 56.2 us in 22 launches in fp32, and 51.4 us fused in fp64. In fp32 3-64-64-1 took 159 us fused and 64 us in 20
   * launches with cuBLAS, and 784-512-512-10 with 128 rows 46.7 us in 11 launches. Small products take two launches
   * less since, which was not measured.
   */
  private static final double NARROW_PRODUCTS_PER_MICROSECOND = 56_000;
  private static final double SINGLE_PRODUCTS_PER_MICROSECOND = 32_000;
  private static final double DOUBLE_PRODUCTS_PER_MICROSECOND = 11_200;
  private static final double MICROSECONDS_OF_LAUNCH = 3.2;
  /** The products of a weight in a step: for Z, for dW, and for dA. */
  private static final int PRODUCTS_OF_WEIGHT = 3;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final int replicas;
  private final CudaOptions options;
  private final Consumer<String> onNote;
  private final boolean fits;

  /** @param onNote is told, in one line, why the layered planner takes over from the fused one */
  StepPlanner(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, CudaOptions options,
      Consumer<String> onNote) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.options = options;
    this.onNote = onNote;
    Optional<String> obstacle = obstacle(context, network, training, options);
    obstacle.ifPresent(this::tell);
    fits = options.planner() != Planner.LAYERED && obstacle.isEmpty();
  }

  /** Returns the planner of the steps over so many rows, {@link Planner#FUSED} or {@link Planner#LAYERED}. */
  static Planner choice(CudaContext context, NetworkSpec network, TrainingSpec training, int rows, CudaOptions options) {
    return options.planner() == Planner.LAYERED || obstacle(context, network, training, options).isPresent()
        || excess(network, training, training.batchSize().orElse(rows), options).isPresent() ? Planner.LAYERED : Planner.FUSED;
  }

  private static Optional<String> obstacle(CudaContext context, NetworkSpec network, TrainingSpec training, CudaOptions options) {
    return options.planner() == Planner.LAYERED
        ? Optional.empty()
        : FusedPlan.obstacle(network, training, context.limits());
  }

  private static Optional<String> excess(NetworkSpec network, TrainingSpec training, int batch, CudaOptions options) {
    return options.planner() == Planner.AUTO ? excess(network, training, batch) : Optional.empty();
  }

  /**
   * Why steps of so many rows would take a single block longer than the layered planner's launches take, of which the whole GPU's
   * blocks do the work; empty when they would not. An estimate, which jumps where cuBLAS takes over from the kernels of small products.
   * In fp64 those kernels were not measured, and launches count as with cuBLAS.
   */
  static Optional<String> excess(NetworkSpec network, TrainingSpec training, int batch) {
    double products = 0;
    for (int l = 0; l < network.layerCount(); l++) {
      products += (double) PRODUCTS_OF_WEIGHT * network.layer(l).in() * network.layer(l).out() * batch;
    }
    double fused = products / productsPerMicrosecond(network, training);
    SmallProducts small = new SmallProducts(network, training.precision(), training.precision() != Precision.FP64);
    double layered = StepPlan.launches(network, training, small, batch) * MICROSECONDS_OF_LAUNCH;
    return fused <= layered ? Optional.empty() : Optional.of("a step of " + batch + " rows has "
        + String.format(Locale.ROOT, "%.1f", products / 1e6) + " million products, which are too many for one block");
  }

  private static double productsPerMicrosecond(NetworkSpec network, TrainingSpec training) {
    if (NarrowPlan.takes(network, training)) {
      return NARROW_PRODUCTS_PER_MICROSECOND;
    }
    return training.precision() == Precision.FP64 ? DOUBLE_PRODUCTS_PER_MICROSECOND : SINGLE_PRODUCTS_PER_MICROSECOND;
  }

  private void tell(String reason) {
    onNote.accept(network.shape() + " is trained layer by layer and not by one block of the GPU: " + reason);
  }

  /** For steps over data that are bound. */
  Steps steps(SessionState state, BoundData data, Transfers transfers, StepTable.Recorder recorder) {
    int rows = data.data().rows();
    int batch = training.batchSize().orElse(rows);
    Optional<String> excess = fits ? excess(network, training, batch, options) : Optional.empty();
    excess.ifPresent(this::tell);
    return fits && excess.isEmpty()
        ? new FusedRunner(context, network, training, state, data, transfers,
            new FusedPlan(network, training, replicas, batch, rows, context.limits()), narrow(batch, rows), options, recorder)
        : new StepRunner(context, network, training, state, data, transfers, options, recorder);
  }

  /** For the kernels of narrow networks: by a cluster of blocks where the options, the device and the estimate allow it. */
  private Optional<? extends BlockPlan> narrow(int batch, int rows) {
    DeviceLimits limits = context.limits();
    if (options.clusters() != Clusters.OFF && context.launchesClusters()) {
      Optional<ClusterPlan> cluster = ClusterPlan.of(network, training, replicas, batch, rows, limits).filter(
          plan -> options.clusters() == Clusters.WHERE_POSSIBLE || plan.isFaster(network, replicas, batch, limits));
      if (cluster.isPresent()) {
        return cluster;
      }
    }
    return NarrowPlan.of(network, training, replicas, batch, rows, limits);
  }

  /** For outputs of so many rows by the fused kernel; empty where layers compute them. */
  Optional<FusedPlan> outputs(int rows) {
    return fits
        ? Optional.of(new FusedPlan(network, training, replicas, rows, 0, context.limits()))
        : Optional.empty();
  }
}
