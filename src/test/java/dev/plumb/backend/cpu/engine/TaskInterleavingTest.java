package dev.plumb.backend.cpu.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TaskInterleavingTest {
  @Test
  void eachKindComesWholeInItsOrderAndEvenly() {
    for (int firsts = 0; firsts < 40; firsts++) {
      for (int seconds = firsts == 0 ? 1 : 0; seconds < 40; seconds++) {
        int first = 0;
        int second = 0;
        int all = firsts + seconds;
        for (int task = 0; task < all; task++) {
          int before = TaskInterleaving.firstKindBefore(task, firsts, seconds);
          assertEquals(first, before);
          assertEquals(second, task - before);
          assertTrue(Math.abs(before - (double) task * firsts / all) < 1, "task " + task + " of " + firsts + " and " + seconds);
          if (TaskInterleaving.isOfFirstKind(task, firsts, seconds)) {
            first++;
          } else {
            second++;
          }
        }
        assertEquals(firsts, first);
        assertEquals(seconds, second);
      }
    }
  }
}
