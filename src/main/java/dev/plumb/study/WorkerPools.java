package dev.plumb.study;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/** Ends pools of threads that train. */
final class WorkerPools {
  private WorkerPools() {}

  /** Waits until all that was submitted has ended, whether or not the waiting thread is interrupted; keeps its interrupt status. */
  static void awaitEnd(ExecutorService pool) {
    pool.shutdown();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = pool.awaitTermination(1, TimeUnit.DAYS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
