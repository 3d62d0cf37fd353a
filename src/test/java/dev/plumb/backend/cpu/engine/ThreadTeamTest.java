package dev.plumb.backend.cpu.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class ThreadTeamTest {
  @Test
  void eachThreadBeginsWithItsOwnShare() {
    int[] doneBy = new int[12];
    // Whoever is at the first task of a share waits until all are, so that nobody can be helped.
    CyclicBarrier all = new CyclicBarrier(4);
    try (ThreadTeam team = new ThreadTeam(4)) {
      for (int round = 0; round < 50; round++) {
        team.run(12, (task, member) -> {
          doneBy[task] = member;
          await(all);
        });
        assertArrayEquals(new int[] {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3}, doneBy);
      }
    }
  }

  /** Whoever takes the first task stays with it until all others are done. */
  @Test
  void finishedThreadHelpsTheOthers() {
    AtomicIntegerArray done = new AtomicIntegerArray(20);
    try (ThreadTeam team = new ThreadTeam(2)) {
      for (int round = 1; round <= 50; round++) {
        CountDownLatch others = new CountDownLatch(19);
        team.run(20, (task, member) -> {
          if (task == 0) {
            await(others);
          } else {
            others.countDown();
          }
          done.incrementAndGet(task);
        });
        for (int task = 0; task < 20; task++) {
          assertEquals(round, done.get(task), "task " + task);
        }
      }
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("not all threads came", e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS), "nobody helped");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
