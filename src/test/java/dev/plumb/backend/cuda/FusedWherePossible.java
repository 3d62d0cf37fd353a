package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * The fused planner for all networks that it can take, even where the layered one is faster; the layered planner for the others.
 */
public final class FusedWherePossible implements Backend {
  private final CudaBackend fused;
  private final CudaBackend layered;

  /** Both are closed with this backend. */
  public FusedWherePossible(CudaBackend fused, CudaBackend layered) {
    this.fused = fused;
    this.layered = layered;
  }

  @Override
  public DeviceInfo device() {
    return fused.device();
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return layered.refusal(network, training, replicas);
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    return (fused.refusal(network, training, replicas).isEmpty() ? fused : layered).open(network, training, replicas);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return (fused.refusal(network, training, 1).isEmpty() ? fused : layered).numerics(network, training, rows);
  }

  @Override
  public void close() {
    try (layered) {
      fused.close();
    }
  }
}
