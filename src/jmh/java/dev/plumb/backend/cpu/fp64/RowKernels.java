package dev.plumb.backend.cpu.fp64;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Benchmark of the products of a small network's layer, units x units weights over 400 samples, in nanoseconds. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RowKernels {
  private static final int SAMPLES = 400;

  @Param({"4", "8", "16"})
  public int units;

  private double[][] a;
  private double[][] d;
  private double[] weights;
  private double[] gradients;
  private double[] z;
  private WeightGradientKernel vectorApi;

  @Setup
  public void fill() {
    SplittableRandom stream = new SplittableRandom(1);
    a = new double[units][SAMPLES];
    d = new double[units][SAMPLES];
    weights = new double[units * units];
    gradients = new double[units * units];
    z = new double[SAMPLES];
    vectorApi = VectorizationProvider.get().weightGradients();
    for (double[][] rows : new double[][][] {a, d, {weights}}) {
      for (double[] row : rows) {
        for (int i = 0; i < row.length; i++) {
          row[i] = 2 * stream.nextDouble() - 1;
        }
      }
    }
  }

  /** Computes Z = b + W·A for all units. */
  @Benchmark
  public double[] forward() {
    for (int unit = 0; unit < units; unit++) {
      RowProducts.row(z, a, units, weights, unit * units, 1, 0.5, 0, SAMPLES);
    }
    return z;
  }

  /** Computes dW += D·Aᵀ in plain Java. */
  @Benchmark
  public double[] weightGradients() {
    RowProducts.weightGradients(d, units, a, units, gradients, 0, 0, SAMPLES);
    return gradients;
  }

  /** Computes dW += D·Aᵀ with the Vector API. */
  @Benchmark
  @Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
  public double[] weightGradientsOfVectorApi() {
    vectorApi.weightGradients(d, units, a, units, gradients, 0, 0, SAMPLES);
    return gradients;
  }
}
