package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/** The reference under another device's name, but it trains with a dropout of its own. */
final class OtherDropoutBackend implements Backend {
  private final Backend right = new ReferenceBackend();
  private final Dropout dropout;

  OtherDropoutBackend(Dropout dropout) {
    this.dropout = dropout;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "other dropout");
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return right.refusal(network, training, replicas);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return right.numerics(network, training, rows);
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    return right.open(network, training.withDropout(dropout), replicas);
  }

  @Override
  public void close() {
    right.close();
  }
}
