package dev.plumb.backend.cpu.engine;

/**
 * Forward passes through a network with fixed parameters, in the calling thread. Any number of threads may use one at the same
 * time.
 *
 * @param <A> double[] or float[]
 */
public interface ForwardPass<A> {
  /** Rows of one call at most. */
  int MAX_ROWS = 256;

  /**
   * Computes the outputs of some rows. The outputs for a row do not depend on the others.
   *
   * @param x holds [rows x inputs] row-major
   * @param rows from 1 to {@link #MAX_ROWS}
   * @param out receives [rows x outputs] row-major
   */
  void outputs(A x, int rows, A out);
}
