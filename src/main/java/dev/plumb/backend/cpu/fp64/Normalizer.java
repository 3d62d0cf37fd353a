package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.LayerSpec;
import dev.plumb.model.ParameterLayout;

/**
 * The normalization of one layer. With mean m, r = 1 / sqrt(variance + epsilon), scale s and shift t:
 *
 * <pre>
 *   forward    X = (Z - m)·r      H = s·X + t
 *   backward   with G = dLoss/dH:   dt = Σ G      ds = Σ G·X      (both over the samples, per unit)
 *              D = dLoss/dZ = r·(s·G - mean of s·G - X·mean of s·G·X)      (means over what m is the mean of)
 * </pre>
 *
 * <p>Threads share the units in tiles. In each direction, all tiles are measured, then one thread combines the measurements, then
 * all tiles are computed. Unless {@link #spansUnits}, a tile may be computed as soon as it was measured.
 */
sealed interface Normalizer permits BatchNormalizer, LayerNormalizer {
  /**
   * Returns the normalizer of a layer; null without normalization.
   *
   * @param training whether batches are normalized with their own statistics, otherwise with the running statistics
   * @param tiles first unit of each tile of the forward pass, then the number of units
   * @param backwardTiles number of tiles of the backward pass
   */
  static Normalizer of(LayerSpec spec, ParameterLayout layout, int layer, boolean training, int[] tiles, int backwardTiles) {
    return switch (spec.normalization()) {
      case NONE -> null;
      case BATCH -> new BatchNormalizer(layout, layer, training);
      case LAYER -> new LayerNormalizer(layout, layer, tiles, backwardTiles);
    };
  }

  /** Allocates memory for a number of samples. */
  void reserve(int samples);

  /** Returns whether statistics are over the units of a sample, so that all tiles must be measured before one is computed. */
  boolean spansUnits();

  /** Computes the statistics of a tile, units from..to - 1; with a batch's own statistics also updates the running ones. */
  void measure(double[] parameters, UnitRows z, int tile, int from, int to, int samples, ThreadScratch own);

  /** Combines the statistics of all tiles. */
  void combine(int samples);

  /** Computes H of units from..to - 1. */
  void normalize(double[] parameters, UnitRows z, UnitRows h, int from, int to, int samples, ThreadScratch own);

  /** Computes the gradients of scales and shifts of a tile, units from..to - 1, and the sums that D needs. */
  void measureGradients(
      double[] parameters,
      double[] gradients,
      UnitRows z,
      UnitRows g,
      int tile,
      int from,
      int to,
      int samples,
      ThreadScratch own);

  /** Combines the sums of all tiles. */
  void combineGradients(int samples);

  /** Replaces G by D in units from..to - 1. */
  void toDelta(double[] parameters, UnitRows z, UnitRows g, int from, int to, int samples, ThreadScratch own);

  /** Returns the size of its arrays, in bytes. */
  long bytes();
}
