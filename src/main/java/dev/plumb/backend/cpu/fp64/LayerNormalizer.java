package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import java.util.Arrays;

/**
 * Layer normalization: the statistics of each sample over the units. A tile of units has its own mean and sum of squared
 * differences from that mean; those of all units follow from them (Chan, Golub and LeVeque 1983). Loops are over samples, so that
 * C2 vectorizes them; rows at another index than 0 are copied to a tile of samples in the cache, as in {@link Activations}.
 */
@SuppressWarnings("cast")
final class LayerNormalizer implements Normalizer {
  private static final double EPSILON = (double) Normalization.EPSILON;

  private final int scales;
  private final int shifts;
  private final int units;
  /** First unit of each tile of the forward pass, then the number of units. */
  private final int[] tiles;
  private final int backwardTiles;
  /** Of each tile [samples], the mean, or in the backward pass the sum of s·G. */
  private final double[][] first;
  /** Of each tile [samples], the sum of squared differences, or in the backward pass the sum of s·G·X. */
  private final double[][] second;
  private double[] mean = {};
  /** r. */
  private double[] inverse = {};
  /** In the backward pass -r·(mean of s·G). */
  private double[] constant = {};
  /** In the backward pass -r·(mean of s·G·X). */
  private double[] slope = {};

  /** Scratch memory of one thread. */
  static final class Scratch {
    private final double[] z = new double[Activations.TILE];
    private final double[] g = new double[Activations.TILE];
    private final double[] x = new double[Activations.TILE];
    private final double[] first = new double[Activations.TILE];
    private final double[] second = new double[Activations.TILE];
    private final double[] mean = new double[Activations.TILE];
    private final double[] inverse = new double[Activations.TILE];
  }

  LayerNormalizer(ParameterLayout layout, int layer, int[] tiles, int backwardTiles) {
    scales = layout.slice(Kind.SCALE, layer).offset();
    shifts = layout.slice(Kind.SHIFT, layer).offset();
    units = layout.slice(Kind.SCALE, layer).size();
    this.tiles = tiles;
    this.backwardTiles = backwardTiles;
    first = new double[Math.max(tiles.length - 1, backwardTiles)][];
    second = new double[first.length][];
  }

  @Override
  public void reserve(int samples) {
    if (samples <= mean.length) {
      return;
    }
    mean = new double[samples];
    inverse = new double[samples];
    constant = new double[samples];
    slope = new double[samples];
    Arrays.setAll(first, tile -> new double[samples]);
    Arrays.setAll(second, tile -> new double[samples]);
  }

  @Override
  public boolean spansUnits() {
    return true;
  }

  @Override
  public void measure(double[] parameters, UnitRows z, int tile, int from, int to, int samples, ThreadScratch own) {
    Scratch scratch = own.layerNormalizer;
    double[] means = scratch.first;
    double[] squares = scratch.second;
    for (int at = 0; at < samples; at += Activations.TILE) {
      int count = Math.min(Activations.TILE, samples - at);
      Arrays.fill(means, 0, count, 0);
      for (int unit = from; unit < to; unit++) {
        add(means, tile(z, unit, samples, at, scratch.z, count), count);
      }
      scale(means, (double) 1 / (to - from), count);
      Arrays.fill(squares, 0, count, 0);
      for (int unit = from; unit < to; unit++) {
        addSquares(squares, tile(z, unit, samples, at, scratch.z, count), means, count);
      }
      System.arraycopy(means, 0, first[tile], at, count);
      System.arraycopy(squares, 0, second[tile], at, count);
    }
  }

  @Override
  public void combine(int samples) {
    int count = tiles.length - 1;
    Arrays.fill(mean, 0, samples, 0);
    Arrays.fill(inverse, 0, samples, 0);
    for (int tile = 0; tile < count; tile++) {
      addScaled(mean, first[tile], tiles[tile + 1] - tiles[tile], samples);
    }
    scale(mean, (double) 1 / units, samples);
    for (int tile = 0; tile < count; tile++) {
      add(inverse, second[tile], samples);
      if (count > 1) {
        addScaledSquares(inverse, first[tile], mean, tiles[tile + 1] - tiles[tile], samples);
      }
    }
    invert(inverse, (double) 1 / units, samples);
  }

  @Override
  public void normalize(double[] parameters, UnitRows z, UnitRows h, int from, int to, int samples, ThreadScratch own) {
    Scratch scratch = own.layerNormalizer;
    for (int at = 0; at < samples; at += Activations.TILE) {
      int count = Math.min(Activations.TILE, samples - at);
      double[] m = Activations.tile(mean, at, scratch.mean, count);
      double[] r = Activations.tile(inverse, at, scratch.inverse, count);
      for (int unit = from; unit < to; unit++) {
        int index = h.at(unit, samples) + at;
        double[] out = index == 0 ? h.array(unit) : scratch.x;
        double[] values = tile(z, unit, samples, at, scratch.z, count);
        normalize(values, m, r, parameters[scales + unit], parameters[shifts + unit], out, count);
        Activations.putBack(out, h.array(unit), index, count);
      }
    }
  }

  @Override
  public void measureGradients(
      double[] parameters,
      double[] gradients,
      UnitRows z,
      UnitRows g,
      int tile,
      int from,
      int to,
      int samples,
      ThreadScratch own) {
    Scratch scratch = own.layerNormalizer;
    double[] sums = scratch.first;
    double[] products = scratch.second;
    double[] x = scratch.x;
    Arrays.fill(gradients, scales + from, scales + to, 0);
    Arrays.fill(gradients, shifts + from, shifts + to, 0);
    for (int at = 0; at < samples; at += Activations.TILE) {
      int count = Math.min(Activations.TILE, samples - at);
      double[] m = Activations.tile(mean, at, scratch.mean, count);
      double[] r = Activations.tile(inverse, at, scratch.inverse, count);
      Arrays.fill(sums, 0, count, 0);
      Arrays.fill(products, 0, count, 0);
      for (int unit = from; unit < to; unit++) {
        double[] gradient = tile(g, unit, samples, at, scratch.g, count);
        standardize(tile(z, unit, samples, at, scratch.z, count), m, r, x, count);
        gradients[scales + unit] += own.moments.products(gradient, x, 0, 0, count);
        gradients[shifts + unit] += own.moments.sum(gradient, 0, count);
        addScaled(sums, gradient, parameters[scales + unit], count);
        addProducts(products, gradient, x, parameters[scales + unit], count);
      }
      System.arraycopy(sums, 0, first[tile], at, count);
      System.arraycopy(products, 0, second[tile], at, count);
    }
  }

  @Override
  public void combineGradients(int samples) {
    Arrays.fill(constant, 0, samples, 0);
    Arrays.fill(slope, 0, samples, 0);
    for (int tile = 0; tile < backwardTiles; tile++) {
      add(constant, first[tile], samples);
      add(slope, second[tile], samples);
    }
    timesScaled(constant, inverse, (double) -1 / units, samples);
    timesScaled(slope, inverse, (double) -1 / units, samples);
  }

  @Override
  public void toDelta(double[] parameters, UnitRows z, UnitRows g, int from, int to, int samples, ThreadScratch own) {
    Scratch scratch = own.layerNormalizer;
    for (int at = 0; at < samples; at += Activations.TILE) {
      int count = Math.min(Activations.TILE, samples - at);
      double[] m = Activations.tile(mean, at, scratch.mean, count);
      double[] r = Activations.tile(inverse, at, scratch.inverse, count);
      double[] p = Activations.tile(constant, at, scratch.first, count);
      double[] q = Activations.tile(slope, at, scratch.second, count);
      for (int unit = from; unit < to; unit++) {
        double[] gradient = tile(g, unit, samples, at, scratch.g, count);
        standardize(tile(z, unit, samples, at, scratch.z, count), m, r, scratch.x, count);
        toDelta(gradient, scratch.x, r, p, q, parameters[scales + unit], count);
        Activations.putBack(gradient, g.array(unit), g.at(unit, samples) + at, count);
      }
    }
  }

  /** Returns an array that begins with samples of a unit: its own array, or the filled copy. */
  private static double[] tile(UnitRows rows, int unit, int samples, int at, double[] copy, int count) {
    return Activations.tile(rows.array(unit), rows.at(unit, samples) + at, copy, count);
  }

  static void add(double[] sums, double[] x, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] += x[i];
    }
  }

  private static void addScaled(double[] sums, double[] x, double factor, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma(factor, x[i], sums[i]);
    }
  }

  static void addSquares(double[] sums, double[] x, double[] mean, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma(x[i] - mean[i], x[i] - mean[i], sums[i]);
    }
  }

  private static void addScaledSquares(double[] sums, double[] x, double[] mean, double factor, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma((x[i] - mean[i]) * factor, x[i] - mean[i], sums[i]);
    }
  }

  private static void addProducts(double[] sums, double[] x, double[] y, double factor, int count) {
    for (int i = 0; i < count; i++) {
      sums[i] = Math.fma(x[i] * factor, y[i], sums[i]);
    }
  }

  static void scale(double[] x, double factor, int count) {
    for (int i = 0; i < count; i++) {
      x[i] *= factor;
    }
  }

  private static void timesScaled(double[] x, double[] y, double factor, int count) {
    for (int i = 0; i < count; i++) {
      x[i] *= y[i] * factor;
    }
  }

  /** Replaces each x by its {@link #inverse(double, double)}. */
  static void invert(double[] x, double factor, int count) {
    for (int i = 0; i < count; i++) {
      x[i] = inverse(x[i], factor);
    }
  }

  /** Returns 1 / sqrt(x·factor + epsilon); NaN for an infinite x, a variance that overflowed. */
  static double inverse(double x, double factor) {
    return Math.fma(x, 0, 1 / (double) Math.sqrt(x * factor + EPSILON));
  }

  private static void standardize(double[] z, double[] mean, double[] inverse, double[] x, int count) {
    for (int i = 0; i < count; i++) {
      x[i] = (z[i] - mean[i]) * inverse[i];
    }
  }

  static void normalize(double[] z, double[] mean, double[] inverse, double scale, double shift, double[] h, int count) {
    for (int i = 0; i < count; i++) {
      h[i] = Math.fma((z[i] - mean[i]) * inverse[i], scale, shift);
    }
  }

  private static void toDelta(
      double[] g, double[] x, double[] inverse, double[] constant, double[] slope, double scale, int count) {
    for (int i = 0; i < count; i++) {
      g[i] = Math.fma(x[i], slope[i], Math.fma(inverse[i] * scale, g[i], constant[i]));
    }
  }

  @Override
  public long bytes() {
    return (4L + 2 * first.length) * mean.length * Double.BYTES;
  }
}
