package dev.plumb.backend;

import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The steps of one {@link TrainingSession#run}: the rows of each, the learning rates, and which of them to record, with their gradient
 * norms or without. Immutable: arrays are copied on the way in.
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

  /** @param steps at least 1 */
  public static Builder of(int steps) {
    return new Builder(steps);
  }

  public int steps() {
    return steps;
  }

  public double learningRate(int step, int replica) {
    double[] rates = learningRates[learningRates.length == 1 ? 0 : step];
    return rates[rates.length == 1 ? 0 : replica];
  }

  /** The row indices of a step, not to be changed; null for all rows in their own order. */
  public int[] batch(int step, int replica) {
    if (batches == null) {
      return null;
    }
    int[][] ofStep = batches[step];
    return ofStep[ofStep.length == 1 ? 0 : replica];
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
   * Some of its steps as a chunk of their own.
   *
   * @param from the first step, from 0
   * @param to the step behind the last, above from
   */
  public StepChunk piece(int from, int to) {
    Builder piece = unrecorded(from, to);
    piece.recorded.or(recorded.get(from, to));
    piece.norms.or(norms.get(from, to));
    return piece.build();
  }

  /** Returns the same steps, with all losses recorded. */
  public StepChunk recordingLosses() {
    Builder all = unrecorded(0, steps).recordLosses();
    all.norms.or(norms);
    return all.build();
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
   * Checked by every session before it runs a chunk.
   *
   * @throws IllegalArgumentException when rates or batches are for another number of replicas, or a row is not there
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
            throw new IllegalArgumentException("step " + step + " of the chunk takes row " + row + ", but the data has "
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

  /** Collects a chunk; without batches every step takes all rows, and nothing is recorded unless asked for. */
  public static final class Builder {
    private final int steps;
    private double[][] learningRates;
    private int[][][] batches;
    private final BitSet recorded = new BitSet();
    private final BitSet norms = new BitSet();

    private Builder(int steps) {
      if (steps < 1) {
        throw new IllegalArgumentException("a chunk of " + steps + " steps; at least 1 is needed");
      }
      this.steps = steps;
    }

    /** One rate for all steps and replicas. */
    public Builder learningRate(double rate) {
      return learningRates(new double[][] {{rate}});
    }

    /**
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

    /** @param rows [steps] the row indices that all replicas take in each step; a null stands for all rows */
    public Builder batches(int[][] rows) {
      int[][][] shared = new int[rows.length][][];
      for (int step = 0; step < rows.length; step++) {
        shared[step] = new int[][] {rows[step]};
      }
      return replicaBatches(shared);
    }

    /**
     * @param rows [steps][replicas or 1] the row indices of each replica's own batch, of one length within a step; a null
     *     stands for all rows
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
            throw new IllegalArgumentException("step " + step + ": the batches of all replicas must be of one length");
          }
          if (batch != null && batch.length == 0) {
            throw new IllegalArgumentException("step " + step + ": a batch must have at least one row");
          }
          batches[step][replica] = batch == null ? null : Arrays.copyOf(batch, batch.length);
        }
      }
      return this;
    }

    /** Records the loss and the gradient norms of one more step, counted from 0 within the chunk. */
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

    /** Records the losses of all steps, but no more gradient norms than were asked for: a pass over all gradients for each step. */
    public Builder recordLosses() {
      recorded.set(0, steps);
      return this;
    }

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
