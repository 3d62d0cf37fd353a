package dev.plumb.study;

import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/** Trainings that run at once in the threads of a pool. */
final class ParallelTrainings {
  /** The time of an interrupt of a study. */
  static final String OF_A_STUDY = "while networks of a study were in training";

  private ParallelTrainings() {}

  /**
   * Runs trainings, waits until all have ended, and shuts the pool down.
   *
   * @param stop called when a training fails and when the calling thread is interrupted; makes the other trainings end soon
   * @param activity completes the message of an interrupt: "while networks of a study were in training"
   * @return the results in the order of the trainings
   * @throws RuntimeException the first failure; a CancellationException only if no training failed otherwise
   * @throws TrainingInterruptedException when the calling thread was interrupted; its interrupt status is kept
   */
  static <T> List<T> run(ExecutorService pool, List<Supplier<T>> trainings, Runnable stop, String activity) {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Future<T>> results = new ArrayList<>();
    try {
      for (Supplier<T> training : trainings) {
        results.add(pool.submit(() -> {
          try {
            return training.get();
          } catch (RuntimeException | Error e) {
            failure.accumulateAndGet(e, ParallelTrainings::reason);
            stop.run();
            throw e;
          }
        }));
      }
    } catch (RejectedExecutionException e) {
      // A training has failed already, and stop has shut the pool down.
      if (failure.get() == null) {
        throw e;
      }
    } catch (OutOfMemoryError e) {
      // The pool could not start a thread; the trainings that run must end before the caller closes what they use.
      stop.run();
      pool.shutdown();
      awaitEnd(pool);
      throw e;
    }
    pool.shutdown();
    try {
      pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      stop.run();
      awaitEnd(pool);
      Thread.currentThread().interrupt();
      throw new TrainingInterruptedException(activity);
    }
    if (failure.get() instanceof Error error) {
      throw error;
    }
    if (failure.get() instanceof RuntimeException exception) {
      throw exception;
    }
    return results.stream().map(ParallelTrainings::result).toList();
  }

  /** Returns the first failure, except that a failure replaces a cancellation. */
  static Throwable reason(Throwable first, Throwable next) {
    return first == null || first instanceof CancellationException && !(next instanceof CancellationException) ? next : first;
  }

  /** Returns the result of a training that has ended without a failure. */
  private static <T> T result(Future<T> training) {
    try {
      return training.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void awaitEnd(ExecutorService pool) {
    boolean ended = false;
    while (!ended) {
      try {
        ended = pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        // The caller restores the interrupt status.
      }
    }
  }
}
