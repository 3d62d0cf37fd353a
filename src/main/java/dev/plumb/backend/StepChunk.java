package dev.plumb.backend;

import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.BitSet;

/**
 * A sequence of training steps for {@link TrainingSession#run}: the batch and the learning rate of each step, and the steps whose
 * loss, or loss and gradient norms, are recorded. Immutable; arrays are copied.
 */
public final class StepChunk {
  private final int steps;
  private final double[][] learningRates;
  private final int[][][] batches;
  private final BitSet recorded;
  private final BitSet norms;

  private StepChunk(Builder builder) {
    steps = builder.steps;
    learningRates = builder.learningRates;
    batches = builder.batches;
    recorded = (BitSet) builder.recorded.clone();
    norms = (BitSet) builder.norms.clone();
    if (learningRates == null) {
      throw new IllegalArgumentException("a chunk needs learning rates");
    }
  }

  /**
   * Returns a builder.
   *
   * @param steps at least 1
   */
  public static Builder of(int steps) {
    return new Builder(steps);
  }

  /** Returns the number of steps. */
  public int steps() {
    return steps;
  }

  /** Returns the learning rate of a replica in a step of the chunk. */
  public double learningRate(int step, int replica) {
    double[] rates = learningRates[learningRates.length == 1 ? 0 : step];
    return rates[rates.length == 1 ? 0 : replica];
  }

  /** Returns the row indices of a step, which must not be changed; null for all rows in order. */
  public int[] batch(int step, int replica) {
    if (batches == null) {
      return null;
    }
    int[][] stepBatches = batches[step];
    return stepBatches[stepBatches.length == 1 ? 0 : replica];
  }

  /** Returns whether a step's loss is recorded. */
  public boolean records(int step) {
    return recorded.get(step);
  }

  /** Returns whether a step's gradient norms are recorded with its loss. */
  public boolean recordsNorms(int step) {
    return norms.get(step);
  }

  /**
   * Returns some of the steps as a chunk.
   *
   * @param from index of the first step
   * @param to index after that of the last step, greater than from
   */
  public StepChunk piece(int from, int to) {
    Builder piece = unrecorded(from, to);
    piece.recorded.or(recorded.get(from, to));
    piece.norms.or(norms.get(from, to));
    return piece.build();
  }

  /** Returns the same steps with all losses recorded. */
  public StepChunk recordingLosses() {
    Builder recording = unrecorded(0, steps).recordLosses();
    recording.norms.or(norms);
    return recording.build();
  }

  private Builder unrecorded(int from, int to) {
    Builder piece = of(to - from)
        .learningRates(learningRates.length == 1 ? learningRates : Arrays.copyOfRange(learningRates, from, to));
    if (batches != null) {
      piece.replicaBatches(Arrays.copyOfRange(batches, from, to));
    }
    return piece;
  }

  /**
   * Checks that a session can run this chunk.
   *
   * @param rows number of rows of the session's data
   * @throws IllegalArgumentException when rates or batches are for another number of replicas, or a row index is out of range
   */
  public void requireFits(int rows, int replicas) {
    for (double[] rates : learningRates) {
      requireReplicas(rates.length, replicas, "learning rates");
    }
    if (batches == null) {
      return;
    }
    for (int step = 0; step < steps; step++) {
      requireReplicas(batches[step].length, replicas, "batches");
      for (int[] batch : batches[step]) {
        if (batch == null) {
          continue;
        }
        for (int row : batch) {
          if (row < 0 || row >= rows) {
            throw new IllegalArgumentException("step " + step + " of the chunk reads row " + row + ", but the data has "
                + rows + " rows");
          }
        }
      }
    }
  }

  private static void requireReplicas(int given, int replicas, String what) {
    if (given != 1 && given != replicas) {
      throw new IllegalArgumentException(what + " for " + given + " replicas, but the session has " + replicas);
    }
  }

  /** A builder of chunks. By default, each step takes all rows and nothing is recorded; learning rates are required. */
  public static final class Builder {
    private final int steps;
    private double[][] learningRates;
    private int[][][] batches;
    private final BitSet recorded = new BitSet();
    private final BitSet norms = new BitSet();

    private Builder(int steps) {
      if (steps < 1) {
        throw new IllegalArgumentException("a chunk needs at least 1 step, not " + steps);
      }
      this.steps = steps;
    }

    /**
     * Sets one rate for all steps and replicas.
     *
     * @throws dev.plumb.model.InvalidInputException when it is negative or not finite
     */
    public Builder learningRate(double rate) {
      return learningRates(new double[][] {{rate}});
    }

    /**
     * Sets the rates of steps and replicas.
     *
     * @param rates [steps or 1][replicas or 1]
     * @throws dev.plumb.model.InvalidInputException when one is negative or not finite
     */
    public Builder learningRates(double[][] rates) {
      requireSteps(rates.length == 1 ? steps : rates.length, "learning rates");
      learningRates = new double[rates.length][];
      for (int step = 0; step < rates.length; step++) {
        learningRates[step] = rates[step].clone();
        for (double rate : rates[step]) {
          TrainingSpec.requireLearningRate(rate);
        }
      }
      return this;
    }

    /**
     * Sets the batches that all replicas share.
     *
     * @param rows [steps][batch] row indices of each step; null instead of a batch means all rows
     */
    public Builder batches(int[][] rows) {
      int[][][] shared = new int[rows.length][][];
      for (int step = 0; step < rows.length; step++) {
        shared[step] = new int[][] {rows[step]};
      }
      return replicaBatches(shared);
    }

    /**
     * Sets the batches of each replica. All batches of a step must have the same length.
     *
     * @param rows [steps][replicas or 1][batch] row indices; null instead of a batch means all rows
     */
    public Builder replicaBatches(int[][][] rows) {
      requireSteps(rows.length, "batches");
      batches = new int[steps][][];
      for (int step = 0; step < steps; step++) {
        int[] first = rows[step][0];
        batches[step] = new int[rows[step].length][];
        for (int replica = 0; replica < rows[step].length; replica++) {
          int[] batch = rows[step][replica];
          if (batch == null ? first != null : first == null || batch.length != first.length) {
            throw new IllegalArgumentException("step " + step + ": the batches of all replicas must have the same length");
          }
          if (batch != null && batch.length == 0) {
            throw new IllegalArgumentException("step " + step + ": a batch must have at least one row");
          }
          batches[step][replica] = batch == null ? null : Arrays.copyOf(batch, batch.length);
        }
      }
      return this;
    }

    /** Records the loss and the gradient norms of one step, counted from 0 within the chunk, in addition to others. */
    public Builder record(int step) {
      if (step < 0 || step >= steps) {
        throw new IllegalArgumentException("cannot record step " + step + " of a chunk of " + steps);
      }
      recorded.set(step);
      norms.set(step);
      return this;
    }

    /** Records the losses and the gradient norms of all steps. */
    public Builder recordAll() {
      recorded.set(0, steps);
      norms.set(0, steps);
      return this;
    }

    /**
     * Records the losses of all steps. Gradient norms are recorded only where requested: each takes a pass over all gradients.
     */
    public Builder recordLosses() {
      recorded.set(0, steps);
      return this;
    }

    /**
     * Returns the chunk.
     *
     * @throws IllegalArgumentException when learning rates are missing
     */
    public StepChunk build() {
      return new StepChunk(this);
    }

    private void requireSteps(int given, String what) {
      if (given != steps) {
        throw new IllegalArgumentException(what + " for " + given + " steps, but the chunk has " + steps);
      }
    }
  }
}
