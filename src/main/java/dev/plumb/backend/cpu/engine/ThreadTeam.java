package dev.plumb.backend.cpu.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that work through numbered tasks together; the thread that asks is one of them. Each begins with a share of its own, the
 * same one whenever there are as many tasks, and whoever has done his share helps the others with theirs. What a task reads and
 * writes again and again thus mostly stays in the cache of one core, which counts most where cores have no cache in common.
 *
 * <p>Who takes a task is left to chance all the same, so tasks must not depend on each other, and each must write places of its
 * own: then the result does not depend on the number of threads.
 */
public final class ThreadTeam implements AutoCloseable {
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

  /** Integers in two lines of a cache: what threads write by turns must not lie in one, nor in neighbours fetched together. */
  private static final int APART = 32;

  private final Thread[] helpers;
  private boolean started;
  /** The next task of each thread's share, {@link #APART} from each other. */
  private final AtomicIntegerArray next;
  private final AtomicInteger atWork = new AtomicInteger();
  private volatile int round;
  private volatile boolean closed;
  private volatile Throwable failure;
  private Work work;
  private int tasks;

  /** @param size threads, the asking one included, at least 1; they start when there is work for more than one */
  public ThreadTeam(int size) {
    helpers = new Thread[size - 1];
    next = new AtomicIntegerArray((size + 1) * APART);
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
    for (int member = 0; member < size(); member++) {
      next.setPlain((member + 1) * APART, firstOfShare(member, count));
    }
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
    int size = size();
    try {
      for (int i = 0; i < size; i++) {
        int sharer = (member + i) % size;
        int end = firstOfShare(sharer + 1, count);
        int at = (sharer + 1) * APART;
        for (int task = next.getAndIncrement(at); task < end; task = next.getAndIncrement(at)) {
          what.run(task, member);
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
