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

/** Nanoseconds a value that activations and their derivatives take, and e^x by itself, beside Java's own. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(ElementFunctions.COUNT)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ElementFunctions {
  /** The samples of the notebook, as one unit's row. */
  static final int COUNT = 400;

  /** One activation, there and back. */
  @State(Scope.Thread)
  public static class Chosen {
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
  public double[] apply(Chosen f) {
    functions.apply(f.activation, z, 0, a, 0, COUNT);
    return a;
  }

  /** With a copy, as deltas would else die away, and small numbers take another time. */
  @Benchmark
  public double[] timesDerivative(Chosen f) {
    System.arraycopy(z, 0, delta, 0, COUNT);
    functions.timesDerivative(f.activation, z, 0, a, 0, delta, 0, COUNT);
    return delta;
  }
}
