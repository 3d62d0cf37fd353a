package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * Something that trains networks. A backend owns whole training steps, not single operations: that leaves it free to fuse
 * them, to record them and to train many networks at once, and it keeps the formulas of two backends apart, so that one can
 * check the other. Backends share the specifications, the parameter layout, the first weights and the batch order, all made
 * on the host, and nothing else.
 */
public interface Backend extends AutoCloseable {
  DeviceInfo device();

  /**
   * Why {@link #open} would not take this, or empty when it would. A backend never falls back by itself.
   *
   * @param replicas networks of one shape, trained side by side, at least 1
   */
  Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas);

  /**
   * Makes a session; its parameters are all 0 until they are written.
   *
   * @throws dev.plumb.model.InvalidInputException when {@link #refusal} is not empty, with its reason and remedy
   */
  TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas);

  /**
   * How many sessions like this are best in training at the same time, each opened and driven by a thread of its own. More than
   * one where a single session leaves processors idle.
   */
  default int sessionsAtOnce(NetworkSpec network, TrainingSpec training, int replicas) {
    return 1;
  }

  /**
   * Returns what decides the last bits of such a training here. Loads what the training will need (a library of matrix products),
   * and nothing else.
   *
   * @param rows of the data that steps take their batches from
   */
  Numerics numerics(NetworkSpec network, TrainingSpec training, int rows);

  /** Its sessions are to be closed before. */
  @Override
  void close();
}
