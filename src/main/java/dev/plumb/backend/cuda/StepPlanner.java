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
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** The choice of a session's planner, fused or layered, for its steps and for inference. */
final class StepPlanner {
  /**
   * Multiply-adds of one block per microsecond, and the time of one of the layered planner's launches including its products, on
   * an H200 at commit c720533 (kernels/MEASURED.md); most of these are about a tenth faster since. 3-8x8-1 with 400 rows
   * took 10.3 us in the narrow kernel, 17.8 us in the general one and 56.2 us in 22 launches in fp32, and 51.4 us fused in fp64.
   * In fp32, 3-64-64-1 took 159 us fused and 64 us in 20 launches with cuBLAS.
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

  /** @param onNote receives, as one line, the reason why the layered planner is used instead of the fused one */
  StepPlanner(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, CudaOptions options,
      Consumer<String> onNote) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.options = options;
    this.onNote = onNote;
    Optional<String> unsupported = unsupported(context, network, training, options);
    unsupported.ifPresent(this::note);
    fits = options.planner() != Planner.LAYERED && unsupported.isEmpty();
  }

  /** Returns the planner of steps over a number of rows, {@link Planner#FUSED} or {@link Planner#LAYERED}. */
  static Planner choice(CudaContext context, NetworkSpec network, TrainingSpec training, int rows, CudaOptions options) {
    return options.planner() == Planner.LAYERED || unsupported(context, network, training, options).isPresent()
        || tooManyProducts(network, training, training.batchSize().orElse(rows), options).isPresent() ? Planner.LAYERED : Planner.FUSED;
  }

  private static Optional<String> unsupported(CudaContext context, NetworkSpec network, TrainingSpec training, CudaOptions options) {
    return options.planner() == Planner.LAYERED
        ? Optional.empty()
        : FusedPlan.unsupported(network, training, context.limits());
  }

  private static Optional<String> tooManyProducts(NetworkSpec network, TrainingSpec training, int batch, CudaOptions options) {
    return options.planner() == Planner.AUTO ? tooManyProducts(network, training, batch) : Optional.empty();
  }

  /**
   * Returns why steps over a number of rows are estimated to take longer in a single block than in the layered planner's
   * launches, which use the whole GPU; empty if they are not. The estimate jumps at the batch size where cuBLAS replaces the
   * kernels for small products. In fp64 those kernels were not measured, and launches are counted as with cuBLAS.
   */
  static Optional<String> tooManyProducts(NetworkSpec network, TrainingSpec training, int batch) {
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

  private void note(String reason) {
    onNote.accept(network.shape() + " is trained by the layered planner instead of the fused one: " + reason);
  }

  /** Returns the steps over bound data. */
  Steps steps(SessionState state, BoundData data, Transfers transfers, StepTable.Recorder recorder) {
    int rows = data.data().rows();
    int batch = training.batchSize().orElse(rows);
    Optional<String> tooManyProducts = fits ? tooManyProducts(network, training, batch, options) : Optional.empty();
    tooManyProducts.ifPresent(this::note);
    return fits && tooManyProducts.isEmpty()
        ? new FusedRunner(context, network, training, state, data, transfers,
            new FusedPlan(network, training, replicas, batch, rows, context.limits()), narrow(batch, data.data()), options, recorder)
        : new StepRunner(context, network, training, state, data, transfers, options, recorder);
  }

  /**
   * Returns the plan for the kernels of narrow networks: with a cluster of blocks if the options, the device and the estimate
   * allow it, and rows have no weights.
   */
  private Optional<? extends BlockPlan> narrow(int batch, Dataset data) {
    DeviceLimits limits = context.limits();
    int rows = data.rows();
    if (options.clusters() != Clusters.OFF && context.launchesClusters() && !data.hasWeights()) {
      Optional<ClusterPlan> cluster = ClusterPlan.of(network, training, replicas, batch, rows, limits).filter(
          plan -> options.clusters() == Clusters.WHERE_POSSIBLE || plan.isFaster(network, replicas, batch, limits));
      if (cluster.isPresent()) {
        return cluster;
      }
    }
    return NarrowPlan.of(network, training, replicas, batch, rows, limits);
  }

  /** Returns the plan for inference over a number of rows with the fused kernel; empty if layers compute the outputs. */
  Optional<FusedPlan> outputs(int rows) {
    return fits
        ? Optional.of(new FusedPlan(network, training, replicas, rows, 0, context.limits()))
        : Optional.empty();
  }
}
