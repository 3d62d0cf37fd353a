package dev.plumb.backend.cpu;

import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.cpu.engine.ForwardPass;
import dev.plumb.backend.cpu.engine.ElementType;
import dev.plumb.model.FoldedNetwork;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.stream.IntStream;

/**
 * Inference on the CPU without native code. Few rows are computed by the calling thread; many rows of a large network also by threads of
 * the common pool or, if their number is limited, of a pool of its own, which {@link #close} ends.
 *
 * @param <A> double[] or float[]
 */
public final class CpuInference<A> implements InferenceSession {
  /** Multiply-adds of a call from which on other threads help: about a millisecond of work. */
  private static final long MIN_PARALLEL = 1 << 24;

  private final NetworkSpec network;
  private final ElementType<A> numbers;
  private final ForwardPass<A> pass;
  private final long weights;
  /** Null for the common pool. */
  private final ForkJoinPool pool;
  private volatile boolean closed;

  private CpuInference(NetworkSpec network, ElementType<A> numbers, ForwardPass<A> pass, long weights, ForkJoinPool pool) {
    this.network = network;
    this.numbers = numbers;
    this.pass = pass;
    this.weights = weights;
    this.pool = pool;
  }

  /**
   * Copies the parameters of a network, with batch normalizations folded into weights and biases. Uses the common pool.
   *
   * @param precision FP64 to compute in double, any other to compute in single precision
   * @param parameters [ParameterLayout.size()]
   */
  public static InferenceSession open(NetworkSpec network, Precision precision, double[] parameters) {
    return open(network, precision, parameters, null);
  }

  /**
   * Copies the parameters likewise, for a number of threads.
   *
   * @param threads at least 1
   */
  static InferenceSession open(NetworkSpec network, Precision precision, double[] parameters, int threads) {
    boolean isLimited = threads < Runtime.getRuntime().availableProcessors();
    return open(network, precision, parameters, isLimited ? new ForkJoinPool(threads) : null);
  }

  private static InferenceSession open(NetworkSpec network, Precision precision, double[] parameters, ForkJoinPool pool) {
    FoldedNetwork folded = FoldedNetwork.of(network, parameters);
    double[] doubles = folded.parameters();
    if (precision == Precision.FP64) {
      return new CpuInference<>(network, ElementType.FP64,
          new dev.plumb.backend.cpu.fp64.DenseForward(folded.network(), doubles), doubles.length, pool);
    }
    float[] singles = ElementType.FP32.newArray(doubles.length);
    ElementType.FP32.copyIn(doubles, singles);
    return new CpuInference<>(network, ElementType.FP32,
        new dev.plumb.backend.cpu.fp32.DenseForward(folded.network(), singles), doubles.length, pool);
  }

  @Override
  public void outputs(double[] x, int rows, double[] out) {
    if (closed) {
      throw new IllegalStateException("this predictor is closed");
    }
    requireLength(x, (long) rows * network.inputs(), "rows x inputs");
    requireLength(out, (long) rows * network.outputs(), "rows x outputs");
    int blocks = (rows + ForwardPass.MAX_ROWS - 1) / ForwardPass.MAX_ROWS;
    IntStream all = IntStream.range(0, blocks);
    if (blocks == 1 || weights * rows < MIN_PARALLEL) {
      all.forEach(block -> block(x, rows, out, block));
    } else if (pool == null) {
      all.parallel().forEach(block -> block(x, rows, out, block));
    } else {
      // A parallel stream uses the pool of the task that starts it.
      pool.invoke(ForkJoinTask.adapt(() -> all.parallel().forEach(block -> block(x, rows, out, block))));
    }
  }

  private void block(double[] x, int rows, double[] out, int block) {
    int first = block * ForwardPass.MAX_ROWS;
    int count = Math.min(ForwardPass.MAX_ROWS, rows - first);
    A in = numbers.newArray(count * network.inputs());
    A outputs = numbers.newArray(count * network.outputs());
    numbers.copyIn(x, first * network.inputs(), in);
    pass.outputs(in, count, outputs);
    numbers.copyOut(outputs, out, first * network.outputs());
  }

  private static void requireLength(double[] array, long length, String shape) {
    if (array.length != length) {
      throw new IllegalArgumentException("an array of " + array.length + " where " + length + " are needed (" + shape + ")");
    }
  }

  @Override
  public void close() {
    closed = true;
    if (pool != null) {
      pool.shutdown();
    }
  }
}
