package dev.plumb.backend.cuda;

import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.CudaOptions.Clusters;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;
import java.util.function.Consumer;

/** Chooses for a session who takes its steps, and who computes outputs outside of them: whole networks in blocks, or layers. */
final class StepPlanner {
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
        || excess(network, training, rows, options).isPresent() ? Planner.LAYERED : Planner.FUSED;
  }

  private static Optional<String> obstacle(CudaContext context, NetworkSpec network, TrainingSpec training, CudaOptions options) {
    return options.planner() == Planner.LAYERED
        ? Optional.empty()
        : FusedPlan.obstacle(network, training, context.limits());
  }

  private static Optional<String> excess(NetworkSpec network, TrainingSpec training, int rows, CudaOptions options) {
    return options.planner() == Planner.AUTO
        ? FusedPlan.excess(network, training, training.batchSize().orElse(rows))
        : Optional.empty();
  }

  private void tell(String reason) {
    onNote.accept(network.shape() + " is trained layer by layer and not by one block of the GPU: " + reason);
  }

  /** For steps over data that are bound. */
  Steps steps(SessionState state, BoundData data, Transfers transfers, StepTable.Recorder recorder) {
    int rows = data.data().rows();
    int batch = training.batchSize().orElse(rows);
    Optional<String> excess = fits ? excess(network, training, rows, options) : Optional.empty();
    excess.ifPresent(this::tell);
    return fits && excess.isEmpty()
        ? new FusedRunner(context, network, training, state, data, transfers,
            new FusedPlan(network, training, replicas, batch, rows, context.limits()), narrow(batch, rows), options, recorder)
        : new StepRunner(context, network, training, state, data, transfers, options, recorder);
  }

  /** For the kernels of narrow networks: by a cluster of blocks where the options, the device and the estimate allow it. */
  private Optional<? extends BlockPlan> narrow(int batch, int rows) {
    CardLimits limits = context.limits();
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
