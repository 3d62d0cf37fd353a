package dev.plumb.backend.cpu.engine;

/**
 * An order of tasks of two kinds in which both are spread evenly. Each thread's share of a {@link ThreadTeam}'s tasks then has
 * its proportion of both kinds.
 */
public final class TaskInterleaving {
  private TaskInterleaving() {}

  /** Returns whether a task, from 0, is of the first kind. Its index within that kind is {@link #firstKindBefore}. */
  public static boolean isOfFirstKind(int task, int firsts, int seconds) {
    return firstKindBefore(task + 1, firsts, seconds) > firstKindBefore(task, firsts, seconds);
  }

  /** Returns the number of tasks of the first kind before a task; all others before it are of the second kind. */
  public static int firstKindBefore(int task, int firsts, int seconds) {
    int count = firsts + seconds;
    return (int) (((long) task * firsts + count - 1) / count);
  }
}
