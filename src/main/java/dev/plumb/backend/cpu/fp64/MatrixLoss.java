package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.backend.cpu.engine.WeightSum;
import dev.plumb.model.Loss;
import java.util.Arrays;

/**
 * The loss of a wide network and the deltas of its last layer. Threads share the output units in tiles, except for cross_entropy,
 * which needs all outputs of a sample at once.
 */
@SuppressWarnings("cast")
final class MatrixLoss {
  private final Loss loss;
  private final Tiles tiles;
  private final ThreadTeam team;
  private final ThreadScratch[] scratch;
  private final ThreadTeam.Work tile = this::tile;
  private final LossAccumulator[] tileLosses;
  /** Outputs [units][samples], in the layout of {@link Losses}. */
  private final double[][] outputs;
  private final double[][] outputDelta;
  private Targets targets;
  private double[] batchWeights;
  private int capacity;

  private Samples data;
  private int[] rows;
  private int samples;
  /** Null for data without weights. */
  private double[] weights;
  private double rowTerms;
  private double[] z;
  private double[] d;
  private Gemm.RightOperand<double[]> right;

  /** @param tiles tiles of the output units */
  MatrixLoss(Loss loss, int units, Tiles tiles, ThreadTeam team, ThreadScratch[] scratch) {
    this.loss = loss;
    this.tiles = tiles;
    this.team = team;
    this.scratch = scratch;
    tileLosses = new LossAccumulator[tiles.count()];
    Arrays.setAll(tileLosses, number -> new LossAccumulator());
    outputs = new double[units][];
    outputDelta = new double[units][];
  }

  /** Allocates memory for a batch of a number of rows. */
  void reserve(int batch) {
    capacity = batch;
    targets = Targets.of(loss, outputs.length, batch);
    batchWeights = new double[batch];
    Arrays.setAll(outputs, unit -> new double[batch]);
    Arrays.setAll(outputDelta, unit -> new double[batch]);
    for (ThreadScratch threadScratch : scratch) {
      threadScratch.losses.reserve(batch);
    }
  }

  /**
   * Adds the loss to a sum and computes d, its gradient with respect to z, both [units x samples].
   *
   * @param rows indices of rows of the data; null for all
   * @param right an operand of d, to be packed; null for none
   */
  void delta(
      Samples data,
      int[] rows,
      int samples,
      double[] z,
      double[] d,
      Gemm.RightOperand<double[]> right,
      LossAccumulator lossSum) {
    this.data = data;
    this.rows = rows;
    this.samples = samples;
    this.z = z;
    this.d = d;
    this.right = right;
    weights = data.weights(rows, 0, samples, batchWeights);
    rowTerms = (double) WeightSum.of(weights, samples);
    if (loss == Loss.CROSS_ENTROPY) {
      delta(0, outputs.length, rowTerms, scratch[0], lossSum);
      return;
    }
    team.run(tiles.count(), tile);
    for (LossAccumulator tileLoss : tileLosses) {
      lossSum.add(tileLoss);
    }
  }

  private void tile(int number, int member) {
    tileLosses[number].reset();
    delta(tiles.from(number), tiles.from(number + 1), rowTerms * outputs.length, scratch[member], tileLosses[number]);
  }

  private void delta(int from, int to, double terms, ThreadScratch own, LossAccumulator lossSum) {
    data.targets(rows, 0, samples, targets, from, to);
    for (int unit = from; unit < to; unit++) {
      System.arraycopy(z, unit * samples, outputs[unit], 0, samples);
    }
    own.losses.delta(from, to, outputs, targets, weights, samples, terms, outputDelta, lossSum);
    for (int unit = from; unit < to; unit++) {
      System.arraycopy(outputDelta[unit], 0, d, unit * samples, samples);
    }
    if (right != null) {
      right.pack(from, to);
    }
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    long labels = loss == Loss.CROSS_ENTROPY ? (long) Integer.BYTES * capacity : 0;
    return labels + (long) Double.BYTES * capacity * (outputs.length * (loss == Loss.CROSS_ENTROPY ? 2 : 3) + 1);
  }
}
