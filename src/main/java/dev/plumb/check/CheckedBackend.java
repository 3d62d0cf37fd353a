package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A backend around two others. Its sessions train on the first, bit for bit as that one alone; every n-th step is taken by
 * the reference too, from the same state, rows and learning rates, and compared tensor by tensor, replica by replica. A
 * checked step is waited for: {@code run} blocks there, and throws what the listener throws.
 */
public final class CheckedBackend implements Backend {
  private final Backend primary;
  private final Backend reference;
  private final int every;
  private final CheckListener listener;

  /**
   * @param primary what trains; its sessions must be {@link Tapped}. Closed with this backend
   * @param reference what it is held against, in double precision whatever the primary's; its sessions are Tapped and
   *     {@link Updatable}. Closed with this backend
   * @param every steps 0, n, 2n, ... since the beginning of training are checked: at least one of each training; at least 1
   */
  public CheckedBackend(Backend primary, Backend reference, int every, CheckListener listener) {
    if (every < 1) {
      throw new InvalidInputException("a check every " + every + " steps; at least 1 is needed");
    }
    this.primary = primary;
    this.reference = reference;
    this.every = every;
    this.listener = listener;
  }

  @Override
  public DeviceInfo device() {
    return primary.device();
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return primary.refusal(network, training, replicas).or(() -> reference.refusal(network, training, replicas));
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    TrainingSession trained = primary.open(network, training, replicas);
    TrainingSession oracle = null;
    try {
      oracle = reference.open(network, training, replicas);
      requireInside(primary, trained instanceof Tapped);
      requireInside(reference, oracle instanceof Tapped && oracle instanceof Updatable);
      return new CheckedSession(device(), network, training, trained, oracle, every, listener);
    } catch (RuntimeException e) {
      if (oracle != null) {
        oracle.close();
      }
      trained.close();
      throw e;
    }
  }

  private static void requireInside(Backend backend, boolean shown) {
    if (!shown) {
      throw new InvalidInputException("device " + backend.device().kind().key()
          + " does not show the inside of a step, which this check needs");
    }
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return primary.numerics(network, training, rows);
  }

  @Override
  public void close() {
    try (reference) {
      primary.close();
    }
  }
}
