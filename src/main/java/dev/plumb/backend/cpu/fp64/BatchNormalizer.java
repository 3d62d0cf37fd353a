package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.BatchStatistics;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;

/** Batch normalization: the statistics of each unit over the samples, or its running statistics. */
@SuppressWarnings("cast")
final class BatchNormalizer implements Normalizer {
  /** Number of samples that are summed separately: few enough for the accuracy of sums in single precision. */
  private static final int SUM_BLOCK = 512;

  private final int scales;
  private final int shifts;
  private final int runningMeans;
  private final int runningVariances;
  /** Null for the running statistics. */
  private final BatchStatistics statistics;

  BatchNormalizer(ParameterLayout layout, int layer, boolean training) {
    scales = layout.slice(Kind.SCALE, layer).offset();
    shifts = layout.slice(Kind.SHIFT, layer).offset();
    runningMeans = layout.slice(Kind.RUNNING_MEAN, layer).offset();
    runningVariances = layout.slice(Kind.RUNNING_VARIANCE, layer).offset();
    statistics = training ? new BatchStatistics(layout.slice(Kind.SCALE, layer).size()) : null;
  }

  @Override
  public void reserve(int samples) {
    // The statistics are per unit.
  }

  @Override
  public boolean spansUnits() {
    return false;
  }

  @Override
  public void measure(double[] parameters, UnitRows z, int tile, int from, int to, int samples, ThreadScratch own) {
    if (statistics == null) {
      return;
    }
    for (int unit = from; unit < to; unit++) {
      int at = z.at(unit, samples);
      measure(unit, z.array(unit), at, at + samples, own.moments);
      int mean = runningMeans + unit;
      int variance = runningVariances + unit;
      parameters[mean] = (double) statistics.runningMean(unit, parameters[mean]);
      parameters[variance] = (double) statistics.runningVariance(unit, parameters[variance], samples);
    }
  }

  private void measure(int unit, double[] z, int from, int to, MomentKernel moments) {
    statistics.reset(unit);
    for (int n = from; n < to; n += SUM_BLOCK) {
      statistics.addSum(unit, moments.sum(z, n, Math.min(to, n + SUM_BLOCK)), to - from);
    }
    double mean = (double) statistics.mean(unit);
    for (int n = from; n < to; n += SUM_BLOCK) {
      statistics.addSquares(unit, moments.squares(z, mean, n, Math.min(to, n + SUM_BLOCK)), to - from);
    }
  }

  @Override
  public void combine(int samples) {
    // Each unit has all of its samples in one tile.
  }

  @Override
  public void normalize(double[] parameters, UnitRows z, UnitRows h, int from, int to, int samples, ThreadScratch own) {
    for (int unit = from; unit < to; unit++) {
      double mean;
      double inverse;
      if (statistics == null) {
        mean = parameters[runningMeans + unit];
        inverse = (double) (1 / Math.sqrt(parameters[runningVariances + unit] + Normalization.EPSILON));
      } else {
        mean = (double) statistics.mean(unit);
        inverse = (double) statistics.inverse(unit);
      }
      int at = z.at(unit, samples);
      double factor = inverse * parameters[scales + unit];
      normalize(z.array(unit), h.array(unit), mean, factor, parameters[shifts + unit], at, at + samples);
    }
  }

  private static void normalize(double[] z, double[] h, double mean, double factor, double shift, int from, int to) {
    for (int i = from; i < to; i++) {
      h[i] = Math.fma(z[i] - mean, factor, shift);
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
    for (int unit = from; unit < to; unit++) {
      int at = z.at(unit, samples);
      measureGradients(unit, g.array(unit), z.array(unit), at, at + samples, own.moments);
      gradients[scales + unit] = (double) statistics.scaleGradient(unit);
      gradients[shifts + unit] = (double) statistics.shiftGradient(unit);
    }
  }

  private void measureGradients(int unit, double[] g, double[] z, int from, int to, MomentKernel moments) {
    statistics.resetGradients(unit);
    double mean = (double) statistics.mean(unit);
    for (int n = from; n < to; n += SUM_BLOCK) {
      int end = Math.min(to, n + SUM_BLOCK);
      statistics.addGradients(unit, moments.sum(g, n, end), moments.products(g, z, mean, n, end));
    }
  }

  @Override
  public void combineGradients(int samples) {
    // Each unit has all of its samples in one tile.
  }

  @Override
  public void toDelta(double[] parameters, UnitRows z, UnitRows g, int from, int to, int samples, ThreadScratch own) {
    for (int unit = from; unit < to; unit++) {
      double inverse = (double) statistics.inverse(unit);
      double factor = inverse * parameters[scales + unit];
      double slope = (double) (-factor * statistics.scaleGradient(unit) / samples);
      double constant = (double) (-factor * statistics.shiftGradient(unit) / samples);
      int at = z.at(unit, samples);
      toDelta(g.array(unit), z.array(unit), (double) statistics.mean(unit), inverse, factor, slope, constant, at, at + samples);
    }
  }

  private static void toDelta(
      double[] g, double[] z, double mean, double inverse, double factor, double slope, double constant, int from, int to) {
    for (int i = from; i < to; i++) {
      g[i] = Math.fma((z[i] - mean) * inverse, slope, Math.fma(factor, g[i], constant));
    }
  }

  @Override
  public long bytes() {
    return statistics == null ? 0 : statistics.bytes();
  }
}
