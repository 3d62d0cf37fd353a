package dev.plumb.study;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Optional;

/** The groups that several workers train. A group that a worker gives back is taken by another one. */
final class GroupQueue<G> {
  private final Deque<G> waiting;
  private int inTraining;
  private int workers;
  private boolean stopped;
  private Throwable failure;

  GroupQueue(Collection<G> groups, int workers) {
    waiting = new ArrayDeque<>(groups);
    this.workers = workers;
  }

  /** Waits for a group to train. Returns empty when all groups are trained, and after {@link #stop}. */
  synchronized Optional<G> take() throws InterruptedException {
    while (!stopped && waiting.isEmpty() && inTraining > 0) {
      wait();
    }
    if (stopped || waiting.isEmpty()) {
      return Optional.empty();
    }
    inTraining++;
    return Optional.of(waiting.remove());
  }

  /** Marks a group as trained. */
  synchronized void finished() {
    inTraining--;
    notifyAll();
  }

  /**
   * Gives a group back, because its worker has failed and takes no more groups. If no worker is left, this stops the queue.
   *
   * @return the number of workers that are left
   */
  synchronized int giveBack(G group, RuntimeException failure) {
    inTraining--;
    waiting.addFirst(group);
    workers--;
    if (workers == 0) {
      stop(failure);
    }
    notifyAll();
    return workers;
  }

  /** Lets no more groups be taken. */
  synchronized void stop(Throwable reason) {
    failure = ParallelTrainings.reason(failure, reason);
    stopped = true;
    notifyAll();
  }

  synchronized boolean isStopped() {
    return stopped;
  }

  /** Waits until all groups are trained, or until {@link #stop}. */
  synchronized void awaitEnd() throws InterruptedException {
    while (!stopped && (!waiting.isEmpty() || inTraining > 0)) {
      wait();
    }
  }

  /** Throws the reason of {@link #stop}, if there is one. */
  synchronized void throwFailure() {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
  }
}
