package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A device that trains in bf16: plain Java over floats, which shares no code with the reference. With a fault, it makes one
 * mistake in every step.
 */
final class Bfloat16Backend implements Backend {
  private final Bfloat16Fault fault;

  Bfloat16Backend(Bfloat16Fault fault) {
    this.fault = fault;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "bf16, " + fault.name());
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return training.precision() == Precision.BF16 ? Refusal.ofReplicas(replicas)
        : Optional.of(new Refusal("trains only in bf16", "use it"));
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    refusal(network, training, replicas).ifPresent(refusal -> {
      throw refusal.toException();
    });
    return new Bfloat16Session(network, training, replicas, fault);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return Numerics.of(DeviceInfo.Kind.CPU, Precision.BF16);
  }

  @Override
  public void close() {
    // It has no resources.
  }
}
