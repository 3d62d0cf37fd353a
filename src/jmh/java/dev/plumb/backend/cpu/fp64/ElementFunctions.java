package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Benchmark of activations, their derivatives and e^x compared with Math.exp, in nanoseconds per value. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(ElementFunctions.COUNT)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ElementFunctions {
  /** Number of values: the samples of the notebook, one unit's row. */
  static final int COUNT = 400;

  /** The activation under test. */
  @State(Scope.Thread)
  public static class Parameters {
    @Param({"RELU", "SIGMOID", "TANH", "SOFTPLUS", "ELU", "GELU", "SILU"})
    public Activation activation;
  }

  private final Activations functions = new Activations();
  private final double[] z = new double[COUNT];
  private final double[] a = new double[COUNT];
  private final double[] delta = new double[COUNT];

  @Setup
  public void fill() {
    SplittableRandom stream = new SplittableRandom(1);
    for (int i = 0; i < COUNT; i++) {
      z[i] = 8 * stream.nextDouble() - 4;
      a[i] = 2 * stream.nextDouble() - 1;
    }
  }

  @Benchmark
  public double[] exp() {
    functions.exp(z, 0, a, 0, COUNT);
    return a;
  }

  @Benchmark
  public double[] expOfJava() {
    for (int i = 0; i < COUNT; i++) {
      a[i] = Math.exp(z[i]);
    }
    return a;
  }

  @Benchmark
  public double[] apply(Parameters parameters) {
    functions.apply(parameters.activation, z, 0, a, 0, COUNT);
    return a;
  }

  /** Includes a copy of the deltas: otherwise they would shrink with every call, and denormals take longer. */
  @Benchmark
  public double[] timesDerivative(Parameters parameters) {
    System.arraycopy(z, 0, delta, 0, COUNT);
    functions.timesDerivative(parameters.activation, z, 0, a, 0, delta, 0, COUNT);
    return delta;
  }
}
