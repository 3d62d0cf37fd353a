package dev.plumb.backend.cpu.engine;

/**
 * Tasks of two kinds in one order, each kind spread evenly over the whole: so every share that a {@link ThreadTeam} makes of them holds
 * the same share of either kind as it would if that kind were dealt out alone.
 */
public final class TaskInterleaving {
  private TaskInterleaving() {}

  /** Whether a task, from 0, is one of the first kind: it is the one with number {@link #firstKindBefore}. */
  public static boolean isOfFirstKind(int task, int firsts, int seconds) {
    return firstKindBefore(task + 1, firsts, seconds) > firstKindBefore(task, firsts, seconds);
  }

  /** How many of the first kind come before a task; all others before it are of the second kind. */
  public static int firstKindBefore(int task, int firsts, int seconds) {
    int all = firsts + seconds;
    return (int) (((long) task * firsts + all - 1) / all);
  }
}
