package dev.plumb.bench;

import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Microbenchmarks in plain Java that load one part of the processor each: arithmetic, memory bandwidth, core-to-core latency. */
final class CpuProbes {
  private CpuProbes() {}

  /** Threads that run the same task at the same time, each with its own index. */
  static final class WorkerPool implements AutoCloseable {
    private final int threads;
    private final ExecutorService pool;

    WorkerPool(int threads) {
      this.threads = threads;
      pool = Executors.newFixedThreadPool(threads, task -> {
        Thread thread = new Thread(task, "plumb-bench");
        thread.setDaemon(true);
        return thread;
      });
    }

    int threads() {
      return threads;
    }

    /** @param task takes the thread's index, from 0 */
    void run(IntConsumer task) {
      List<Callable<Object>> tasks = IntStream.range(0, threads)
          .mapToObj(thread -> Executors.callable(() -> task.accept(thread)))
          .toList();
      try {
        for (Future<Object> done : pool.invokeAll(tasks)) {
          done.get();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while measuring", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException("a measuring thread failed", e.getCause());
      }
    }

    @Override
    public void close() {
      pool.shutdownNow();
    }
  }

  /**
   * The processor's arithmetic peak, as far as Java reaches it: a chain of {@value #CHAIN} dependent multiply-adds on each of
   * {@value #LENGTH} numbers that stay in the first-level cache. HotSpot vectorizes the loops, and the processor overlaps the
   * chains of several numbers; the load and store of a number take little time compared with its chain. The threads share no
   * data.
   */
  static final class MultiplyAdds {
    private static final int LENGTH = 1024;
    private static final int CHAIN = 8;

    /** x = P·x + Q converges to 1, far from denormals and infinities. */
    private static final double P = 0.75;
    private static final double Q = 0.25;

    /** Unused numbers after a thread's own, so that no two threads write to the same cache line. */
    private static final int PADDING = 32;

    /** The loop counts as compiled if no measurement within this time was faster than {@link #FASTER} times the best one. */
    private static final double WARM_UP_SECONDS = 0.3;
    private static final double FASTER = 0.8;

    private static final int WARM_UP_ROUNDS = 1000;

    private final Precision precision;
    private final WorkerPool pool;
    private final double[][] doubles;
    private final float[][] floats;

    MultiplyAdds(Precision precision, WorkerPool pool) {
      this.precision = precision;
      this.pool = pool;
      doubles = new double[pool.threads()][LENGTH + PADDING];
      floats = new float[pool.threads()][LENGTH + PADDING];
      for (int thread = 0; thread < pool.threads(); thread++) {
        Arrays.fill(doubles[thread], 2);
        Arrays.fill(floats[thread], 2);
      }
      warmUp();
    }

    private void warmUp() {
      double best = Double.POSITIVE_INFINITY;
      double sinceBest = 0;
      while (sinceBest < WARM_UP_SECONDS) {
        double seconds = TimedLoop.seconds(WARM_UP_ROUNDS, this::run);
        sinceBest += seconds;
        if (seconds < FASTER * best) {
          best = seconds;
          sinceBest = 0;
        }
      }
    }

    /** Returns the floating-point operations of one round of all threads; a multiply-add counts as two. */
    double operations() {
      return 2.0 * CHAIN * LENGTH * pool.threads();
    }

    /** Runs the given number of rounds in every thread. */
    void run(int rounds) {
      pool.run(thread -> {
        for (int i = 0; i < rounds; i++) {
          if (precision == Precision.FP64) {
            round(doubles[thread], P, Q);
          } else {
            round(floats[thread], (float) P, (float) Q);
          }
        }
      });
    }

    private static void round(double[] z, double p, double q) {
      for (int i = 0; i < LENGTH; i++) {
        double x = z[i];
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        z[i] = x;
      }
    }

    private static void round(float[] z, float p, float q) {
      for (int i = 0; i < LENGTH; i++) {
        float x = z[i];
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        x = Math.fma(x, p, q);
        z[i] = x;
      }
    }
  }

  /** Memory bandwidth: a copy of one array to another with System.arraycopy, each thread copying its own part. */
  static final class MemoryBandwidth {
    private final WorkerPool pool;
    private final double[] source;
    private final double[] target;

    /** @param bytes size of the array */
    MemoryBandwidth(int bytes, WorkerPool pool) {
      this.pool = pool;
      source = new double[bytes / Double.BYTES];
      target = new double[source.length];
    }

    /** Returns the bytes that one copy reads and writes. */
    double bytes() {
      return 2.0 * source.length * Double.BYTES;
    }

    /** Copies the array the given number of times. */
    void run(int times) {
      pool.run(thread -> {
        int begin = (int) ((long) source.length * thread / pool.threads());
        int end = (int) ((long) source.length * (thread + 1) / pool.threads());
        for (int i = 0; i < times; i++) {
          System.arraycopy(source, begin, target, begin, end - begin);
        }
      });
    }
  }

  /**
   * Core-to-core latency: two threads update one cache line in turns (ping-pong). The latency depends on where the system has
   * placed the threads: it is several times lower between cores that share a cache.
   */
  static final class CoreLatency {
    /** Round trips per run; enough to make the time to start the threads negligible. */
    static final int ROUND_TRIPS = 20_000;

    /** Polls before the thread yields, in case the other thread needs the same processor. */
    private static final int SPINS = 10_000;

    private final WorkerPool pool;
    private final AtomicInteger turn = new AtomicInteger();

    /** @param pool at least two threads, of which two are used */
    CoreLatency(WorkerPool pool) {
      this.pool = pool;
    }

    /** Makes {@link #ROUND_TRIPS} round trips the given number of times. */
    void run(int times) {
      for (int time = 0; time < times; time++) {
        turn.set(0);
        pool.run(thread -> {
          for (int i = 0; thread < 2 && i < ROUND_TRIPS; i++) {
            await(2 * i + thread);
            turn.set(2 * i + thread + 1);
          }
        });
      }
    }

    private void await(int expected) {
      for (int spins = 1; turn.get() != expected; spins++) {
        if (spins % SPINS == 0) {
          Thread.yield();
        }
      }
    }
  }
}
