package dev.plumb.backend;

import dev.plumb.data.Dataset;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;

/** Checks of calls and arguments that the sessions of all backends share. */
public final class SessionChecks {
  private SessionChecks() {}

  /** @throws IllegalStateException when the session is closed */
  public static void requireOpen(boolean closed) {
    if (closed) {
      throw new IllegalStateException("this session is closed");
    }
  }

  /**
   * Checks that steps have data.
   *
   * @param bound the data that was bound last; null when there is none
   * @throws IllegalStateException when there is none
   */
  public static void requireBound(Dataset bound) {
    if (bound == null) {
      throw new IllegalStateException("bind data before running steps");
    }
  }

  /**
   * Checks that a step was run, so that its values can be tapped.
   *
   * @param lastBatch rows of the last step; 0 before the first
   * @throws IllegalStateException when no step was run
   */
  public static void requireStep(int lastBatch) {
    if (lastBatch == 0) {
      throw new IllegalStateException("nothing to tap before the first step");
    }
  }

  /**
   * Checks that a layer has the values of a tap.
   *
   * @throws IllegalArgumentException when normalized values of a layer without normalization are tapped
   */
  public static void requireTapped(NetworkSpec network, Tap where, int layer) {
    if (!Tap.of(network.layer(layer)).contains(where)) {
      throw new IllegalArgumentException("layer " + layer + " has no normalization to tap");
    }
  }

  /**
   * Checks that batches have enough rows for batch statistics.
   *
   * @param rows number of rows of the bound data
   * @throws InvalidInputException when the network has a batch normalization and a batch has one row
   */
  public static void requireStatistics(NetworkSpec network, StepChunk chunk, int rows) {
    if (!network.usesBatchStatistics()) {
      return;
    }
    for (int step = 0; step < chunk.steps(); step++) {
      int[] batch = chunk.batch(step, 0);
      TrainingSpec.requireStatistics(network, batch == null ? rows : batch.length);
    }
  }

  /**
   * Checks that rows have as many features as a network has inputs.
   *
   * @throws InvalidInputException when they have more or fewer
   */
  public static void requireInputs(NetworkSpec network, Dataset rows) {
    if (rows.features() != network.inputs()) {
      throw new InvalidInputException("the network has " + network.inputs() + " inputs, but the data has "
          + rows.features() + " columns");
    }
  }

  /** @throws IllegalArgumentException when the session has no replica of that index */
  public static void requireReplica(int replica, int replicas) {
    if (replica < 0 || replica >= replicas) {
      throw new IllegalArgumentException("replica " + replica + " is out of range; the session has " + replicas);
    }
  }

  /**
   * Checks the length of an array that the session reads or writes.
   *
   * @param shape its meaning, for the message: "rows x outputs"
   * @throws IllegalArgumentException when it has another length
   */
  public static void requireLength(double[] array, long length, String shape) {
    if (array.length != length) {
      throw new IllegalArgumentException(
          "the array has length " + array.length + "; " + length + " is needed (" + shape + ")");
    }
  }

  /**
   * Checks that a session has the vector of a slot: not every optimizer needs both moments.
   *
   * @param kept whether the session has the vector
   * @throws IllegalArgumentException when it does not have it
   */
  public static void requireKept(boolean kept, OptimizerSpec optimizer, Slot slot) {
    if (!kept) {
      throw new IllegalArgumentException(optimizer.kind().key() + " with these settings keeps no " + slot);
    }
  }

  /** @throws IllegalArgumentException when the number of steps taken is negative */
  public static void requireStepsTaken(long steps) {
    if (steps < 0) {
      throw new IllegalArgumentException("the number of steps taken must be at least 0, but is " + steps);
    }
  }
}
