package dev.plumb.bench;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Threads that do the same at the same time, each with numbers of its own. */
final class Crew implements AutoCloseable {
  private final int threads;
  private final ExecutorService pool;

  Crew(int threads) {
    this.threads = threads;
    pool = Executors.newFixedThreadPool(threads, work -> {
      Thread thread = new Thread(work, "plumb-bench");
      thread.setDaemon(true);
      return thread;
    });
  }

  /** @param work takes the thread's number, from 0 */
  void run(IntConsumer work) {
    List<Callable<Object>> tasks = IntStream.range(0, threads)
        .mapToObj(thread -> Executors.callable(() -> work.accept(thread)))
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
