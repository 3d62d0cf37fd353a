package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * An implementation of training on one kind of device. A backend implements whole training steps, not single operations: it is
 * free to fuse operations, to record them and to train many networks at once, and the formulas of two backends stay independent,
 * so that one can check the other. Backends share only the specifications, the parameter layout, the initial weights and the
 * batch order, all of which are computed on the host.
 */
public interface Backend extends AutoCloseable {
  /** Returns the device that this backend computes on. */
  DeviceInfo device();

  /**
   * Returns why this backend does not support a training; empty when {@link #open} accepts it. A backend never falls back to
   * another one.
   *
   * @param replicas number of independent networks of this shape that are trained together, at least 1
   */
  Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas);

  /**
   * Opens a session; its parameters are 0 until they are written.
   *
   * @throws dev.plumb.model.InvalidInputException when {@link #refusal} is not empty; the message is its reason and remedy
   */
  TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas);

  /**
   * Returns how many such sessions should train at the same time for the highest throughput if there are enough of them, each
   * opened on {@link #sharedBy} and used by its own thread. More than 1 where one session leaves processors idle.
   */
  default int sessionsAtOnce(NetworkSpec network, TrainingSpec training, int replicas) {
    return 1;
  }

  /**
   * Returns the backend for one of several sessions that train at the same time: with its share of the threads, and the same
   * results. It need not be closed.
   */
  default Backend sharedBy(int sessions) {
    return this;
  }

  /**
   * Returns the numerics of such a training: everything on this machine that affects the last bits of its results. Loads the
   * library of matrix products if the training needs it.
   *
   * @param rows number of rows of the training data
   */
  Numerics numerics(NetworkSpec network, TrainingSpec training, int rows);

  /**
   * Returns the precision in which features should be held for sessions of a precision: sessions round no further.
   *
   * @param precision of the training
   */
  default Precision dataPrecision(Precision precision) {
    return precision;
  }

  /**
   * Returns a session for predictions whose bits for a row do not depend on the other rows, where those of a session of {@link #open}
   * would. Empty where they would not, and where the backend has no other session.
   *
   * @param precision of the predictions
   * @param parameters [ParameterLayout.size()]
   */
  default Optional<InferenceSession> separateInference(NetworkSpec network, Precision precision, double[] parameters) {
    return Optional.empty();
  }

  /** Releases the device. All sessions must be closed before. */
  @Override
  void close();
}
