package dev.plumb.backend.cpu.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that work through numbered tasks together; the thread that asks is one of them. Who takes which task is left to
 * chance, so tasks must not depend on each other, and each must write places of its own: then the result does not depend on
 * the number of threads.
 */
public final class Team implements AutoCloseable {
  /** Some kind of work, cut into numbered tasks. Made once and used for every step, so that a step makes no objects. */
  @FunctionalInterface
  public interface Work {
    /**
     * @param task from 0
     * @param member the thread that does it, from 0 to size - 1, for what each thread keeps for itself
     */
    void run(int task, int member);
  }

  /** Turns of waiting awake, some hundred microseconds: the next piece of a step comes sooner than a sleeper would wake. */
  private static final int SPINS = 10_000;

  private final Thread[] helpers;
  private boolean started;
  private final AtomicInteger nextTask = new AtomicInteger();
  private final AtomicInteger atWork = new AtomicInteger();
  private volatile int round;
  private volatile boolean closed;
  private volatile Throwable failure;
  private Work work;
  private int tasks;

  /** @param size threads, the asking one included, at least 1; they start when there is work for more than one */
  public Team(int size) {
    helpers = new Thread[size - 1];
    for (int i = 0; i < helpers.length; i++) {
      int member = i + 1;
      helpers[i] = new Thread(() -> help(member), "plumb-cpu-" + member);
      helpers[i].setDaemon(true);
    }
  }

  public int size() {
    return helpers.length + 1;
  }

  /** Runs tasks 0 to count - 1 and returns when all are done. An error in one of them is thrown here, after the others. */
  public void run(int count, Work what) {
    if (helpers.length == 0 || count <= 1) {
      for (int task = 0; task < count; task++) {
        what.run(task, 0);
      }
      return;
    }
    if (!started) {
      started = true;
      for (Thread helper : helpers) {
        helper.start();
      }
    }
    work = what;
    tasks = count;
    nextTask.set(0);
    atWork.set(helpers.length);
    round++;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
    takeTasks(0);
    for (int spins = 0; atWork.get() > 0; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    work = null;
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      if (thrown instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) thrown;
    }
  }

  private void takeTasks(int member) {
    Work what = work;
    int count = tasks;
    try {
      for (int task = nextTask.getAndIncrement(); task < count; task = nextTask.getAndIncrement()) {
        what.run(task, member);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  private void help(int member) {
    int done = 0;
    while (true) {
      int spins = 0;
      while (round == done && !closed) {
        if (spins++ < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      done++;
      takeTasks(member);
      atWork.decrementAndGet();
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }
}
