package dev.plumb.backend.reference;

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
 * The reference implementation: plain loops over doubles in one thread, easy to compare with the formulas and not optimized.
 * Other backends are checked against it. It accepts every precision, so that it can run any training, and always computes in
 * double.
 */
public final class ReferenceBackend implements Backend {
  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.REFERENCE, "plain Java, double, one thread");
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return Refusal.ofReplicas(replicas);
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    refusal(network, training, replicas).ifPresent(refusal -> {
      throw refusal.toException();
    });
    return new ReferenceSession(network, training, replicas);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return Numerics.of(DeviceInfo.Kind.REFERENCE, Precision.FP64);
  }

  /** Returns double, as rounded features would change the results. */
  @Override
  public Precision dataPrecision(Precision precision) {
    return Precision.FP64;
  }

  @Override
  public void close() {
    // It has no resources.
  }
}
