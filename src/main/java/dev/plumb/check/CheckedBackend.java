package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TeacherForced;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A backend that trains on one backend and checks it against another. Training gives the same bits as the first backend without
 * checks. The reference repeats every n-th step from the same state, rows and learning rates, and all tensors are compared,
 * replica by replica. {@code run} waits for each checked step, and throws what the listener throws.
 *
 * <p>If the precision rounds factors ({@link Precision#roundsFactors}), the reference repeats each operation of the step from
 * the operands that the first backend rounded ({@link TeacherForced}). So each tensor may differ by the errors of one operation
 * in single precision, plus half a unit in the last place of bfloat16 where it is stored rounded.
 */
public final class CheckedBackend implements Backend {
  private final Backend primary;
  private final Backend reference;
  private final int every;
  private final CheckListener listener;

  /**
   * @param primary the backend that trains; its sessions must be {@link Tapped}. Closed with this backend
   * @param reference the backend to compare with, always in double precision; its sessions must be Tapped and
   *     {@link Updatable}, and {@link TeacherForced} for precisions that round factors. Closed with this backend
   * @param every n, at least 1: steps 0, n, 2n, ... since the beginning of training are checked
   */
  public CheckedBackend(Backend primary, Backend reference, int every, CheckListener listener) {
    if (every < 1) {
      throw new InvalidInputException("the number of steps between checks is " + every + "; it must be at least 1");
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
    TrainingSession primarySession = primary.open(network, training, replicas);
    TrainingSession referenceSession = null;
    try {
      referenceSession = reference.open(network, training, replicas);
      requireTaps(primary, primarySession instanceof Tapped);
      requireTaps(reference, referenceSession instanceof Tapped && referenceSession instanceof Updatable
          && (!training.precision().roundsFactors() || referenceSession instanceof TeacherForced));
      return new CheckedSession(device(), network, training, primarySession, referenceSession, every, listener);
    } catch (RuntimeException e) {
      if (referenceSession != null) {
        referenceSession.close();
      }
      primarySession.close();
      throw e;
    }
  }

  private static void requireTaps(Backend backend, boolean hasTaps) {
    if (!hasTaps) {
      throw new InvalidInputException("device " + backend.device().kind().key()
          + " does not expose the values inside a step, which this check needs");
    }
  }

  @Override
  public Precision dataPrecision(Precision precision) {
    return primary.dataPrecision(precision);
  }

  @Override
  public Optional<InferenceSession> separateInference(NetworkSpec network, Precision precision, double[] parameters) {
    return primary.separateInference(network, precision, parameters);
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
