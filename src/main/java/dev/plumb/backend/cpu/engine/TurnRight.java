package dev.plumb.backend.cpu.engine;

/**
 * The right matrix that one thread multiplies in a turn of a {@link Team}: taken by the thread's first task of the turn, and in
 * use in its others.
 *
 * @param <A> double[] or float[]
 */
public final class TurnRight<A> {
  private final Gemm.Right<A> matrix;
  private boolean taken;

  public TurnRight(Gemm<A> gemm) {
    matrix = gemm.right();
  }

  /** For the thread that asks the team, before it does. */
  public void beginTurn() {
    taken = false;
  }

  /** Whether the matrix is still to be taken, which the caller then does: true once a turn. */
  public boolean isFirstOfTurn() {
    boolean first = !taken;
    taken = true;
    return first;
  }

  public Gemm.Right<A> matrix() {
    return matrix;
  }
}
