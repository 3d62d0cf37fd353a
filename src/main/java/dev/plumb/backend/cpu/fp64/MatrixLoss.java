package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.Loss;
import java.util.Arrays;

/**
 * What the outputs of a wide network cost, and the deltas of the last layer. Units of the outputs are dealt out to the threads in
 * tiles, but for cross_entropy, which takes all outputs of a sample together.
 */
final class MatrixLoss {
  private final Loss loss;
  private final Tiles tiles;
  private final ThreadTeam team;
  private final ThreadScratch[] scratch;
  private final ThreadTeam.Work tile = this::tile;
  private final LossAccumulator[] tileLosses;
  /** Unit by unit, as {@link Losses} takes them. */
  private final double[][] outputs;
  private final double[][] outputDelta;
  private Targets targets;
  private int capacity;

  private Samples data;
  private int[] rows;
  private int samples;
  private double[] z;
  private double[] d;
  private Gemm.RightOperand<double[]> right;

  /** @param tiles of the output units */
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

  void reserve(int batch) {
    capacity = batch;
    targets = Targets.of(loss, outputs.length, batch);
    Arrays.setAll(outputs, unit -> new double[batch]);
    Arrays.setAll(outputDelta, unit -> new double[batch]);
    for (ThreadScratch threadScratch : scratch) {
      threadScratch.losses.reserve(batch);
    }
  }

  /**
   * Sets d to the loss's derivative by z, both [units x samples].
   *
   * @param rows of the data; null for all
   * @param right is packed of d; null for nothing
   * @param lossSum gets the loss
   */
  void delta(Samples data, int[] rows, int samples, double[] z, double[] d, Gemm.RightOperand<double[]> right, LossAccumulator lossSum) {
    this.data = data;
    this.rows = rows;
    this.samples = samples;
    this.z = z;
    this.d = d;
    this.right = right;
    if (loss == Loss.CROSS_ENTROPY) {
      delta(0, outputs.length, samples, scratch[0], lossSum);
      return;
    }
    team.run(tiles.count(), tile);
    for (LossAccumulator tileLoss : tileLosses) {
      lossSum.add(tileLoss);
    }
  }

  private void tile(int number, int member) {
    tileLosses[number].reset();
    delta(tiles.from(number), tiles.from(number + 1), (double) samples * outputs.length, scratch[member], tileLosses[number]);
  }

  private void delta(int from, int to, double terms, ThreadScratch own, LossAccumulator lossSum) {
    data.targets(rows, 0, samples, targets, from, to);
    for (int unit = from; unit < to; unit++) {
      System.arraycopy(z, unit * samples, outputs[unit], 0, samples);
    }
    own.losses.delta(from, to, outputs, targets, samples, terms, outputDelta, lossSum);
    for (int unit = from; unit < to; unit++) {
      System.arraycopy(outputDelta[unit], 0, d, unit * samples, samples);
    }
    if (right != null) {
      right.pack(from, to);
    }
  }

  long bytes() {
    long labels = loss == Loss.CROSS_ENTROPY ? (long) Integer.BYTES * capacity : 0;
    return labels + (long) Double.BYTES * capacity * outputs.length * (loss == Loss.CROSS_ENTROPY ? 2 : 3);
  }
}
