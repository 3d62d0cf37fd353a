package dev.plumb.backend.cpu.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * A team of threads that run numbered tasks; the calling thread is a member. Each thread starts with its own contiguous share of
 * the tasks, which is the same for every call with as many tasks, and then helps the others with theirs. Data that a task uses in
 * every step thus mostly stays in the cache of one core.
 *
 * <p>Any thread may run any task, so tasks must be independent and write to different places. Results then do not depend on the
 * number of threads.
 */
public final class ThreadTeam implements AutoCloseable {
  /** The code of the tasks. Created once and used in every step, so that steps do not allocate. */
  @FunctionalInterface
  public interface Work {
    /**
     * Runs one task.
     *
     * @param task from 0
     * @param member index of the thread that runs it, from 0 to size - 1, for its scratch memory
     */
    void run(int task, int member);
  }

  /**
   * Iterations of busy waiting before a thread is parked, some hundred microseconds: the next part of a step usually starts
   * before a parked thread would wake.
   */
  private static final int SPINS = 10_000;

  /** Integers in two cache lines: counters of different threads must not share a line, nor a pair of lines fetched together. */
  private static final int SPACING = 32;

  private final Thread[] helpers;
  private boolean started;
  /** The next task of each thread's share, at intervals of {@link #SPACING} integers. */
  private final AtomicIntegerArray next;
  private final AtomicInteger working = new AtomicInteger();
  private volatile int round;
  private volatile boolean closed;
  private volatile Throwable failure;
  private Work work;
  private int taskCount;

  /** @param size number of threads, including the caller, at least 1; the others start with the first call that needs them */
  public ThreadTeam(int size) {
    helpers = new Thread[size - 1];
    next = new AtomicIntegerArray((size + 1) * SPACING);
    for (int i = 0; i < helpers.length; i++) {
      int member = i + 1;
      helpers[i] = new Thread(() -> help(member), "plumb-cpu-" + member);
      helpers[i].setDaemon(true);
    }
  }

  /** Returns the number of threads, including the caller. */
  public int size() {
    return helpers.length + 1;
  }

  /** Runs tasks 0 to count - 1, waits for all of them, and then rethrows the error of a task, if any. */
  public void run(int count, Work tasks) {
    if (helpers.length == 0 || count <= 1) {
      for (int task = 0; task < count; task++) {
        tasks.run(task, 0);
      }
      return;
    }
    if (!started) {
      started = true;
      for (Thread helper : helpers) {
        helper.start();
      }
    }
    work = tasks;
    taskCount = count;
    for (int member = 0; member < size(); member++) {
      next.setPlain((member + 1) * SPACING, firstOfShare(member, count));
    }
    working.set(helpers.length);
    round++;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
    runTasks(0);
    for (int spins = 0; working.get() > 0; spins++) {
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

  private void runTasks(int member) {
    Work current = work;
    int count = taskCount;
    int size = size();
    try {
      for (int i = 0; i < size; i++) {
        int owner = (member + i) % size;
        int end = firstOfShare(owner + 1, count);
        int at = (owner + 1) * SPACING;
        for (int task = next.getAndIncrement(at); task < end; task = next.getAndIncrement(at)) {
          current.run(task, member);
        }
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  private int firstOfShare(int member, int count) {
    return (int) (((long) count * member + size() - 1) / size());
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
      runTasks(member);
      working.decrementAndGet();
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
