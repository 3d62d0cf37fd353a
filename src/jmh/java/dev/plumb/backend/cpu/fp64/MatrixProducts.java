package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.blas.OpenBlas;
import dev.plumb.backend.cpu.engine.Gemm;
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

/** Benchmark of D·Aᵀ, a layer's weight gradients over a batch, by OpenBLAS with one thread and in plain Java, in microseconds. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MatrixProducts {
  /** Outputs x inputs x samples; the product takes twice as many operations. */
  @Param({"8x8x400", "512x512x128"})
  public String shape;

  private int outputs;
  private int inputs;
  private int samples;
  private double[] d;
  private double[] a;
  private double[] gradients;
  private float[] singleD;
  private float[] singleA;
  private float[] singleGradients;
  private final Gemm<double[]> java = new BlockedGemm();
  private final Gemm<float[]> singleJava = new dev.plumb.backend.cpu.fp32.BlockedGemm();
  private OpenBlas openBlas;

  @Setup
  public void fill() {
    if (!(OpenBlas.load() instanceof OpenBlas.Loaded loaded)) {
      throw new IllegalStateException("OpenBLAS cannot be loaded: " + OpenBlas.load());
    }
    openBlas = loaded.openBlas();
    String[] sizes = shape.split("x");
    outputs = Integer.parseInt(sizes[0]);
    inputs = Integer.parseInt(sizes[1]);
    samples = Integer.parseInt(sizes[2]);
    SplittableRandom stream = new SplittableRandom(1);
    d = stream.doubles((long) outputs * samples, -1, 1).toArray();
    a = stream.doubles((long) inputs * samples, -1, 1).toArray();
    gradients = new double[outputs * inputs];
    singleD = singles(d);
    singleA = singles(a);
    singleGradients = new float[outputs * inputs];
  }

  private static float[] singles(double[] values) {
    float[] singles = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      singles[i] = (float) values[i];
    }
    return singles;
  }

  @Benchmark
  public double[] openBlas() {
    multiply(openBlas.doubles(), d, a, gradients);
    return gradients;
  }

  @Benchmark
  public double[] plainJava() {
    multiply(java, d, a, gradients);
    return gradients;
  }

  @Benchmark
  public float[] openBlasInSingle() {
    multiply(openBlas.floats(), singleD, singleA, singleGradients);
    return singleGradients;
  }

  @Benchmark
  public float[] plainJavaInSingle() {
    multiply(singleJava, singleD, singleA, singleGradients);
    return singleGradients;
  }

  private <A> void multiply(Gemm<A> gemm, A left, A right, A result) {
    gemm.multiply(false, true, outputs, inputs, samples, left, 0, samples, right, 0, samples, result, 0, inputs);
  }
}
