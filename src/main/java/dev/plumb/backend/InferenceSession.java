package dev.plumb.backend;

/**
 * A network with fixed parameters that any number of threads may use at the same time. The outputs for a row are the same bits
 * whatever other rows are computed in the same call.
 *
 * <p>Calls that have begun when {@link #close} is called still return their outputs; later calls throw an IllegalStateException.
 */
public interface InferenceSession extends AutoCloseable {
  /**
   * Computes the network's outputs, which are logits for the cross-entropies.
   *
   * @param x [rows x inputs] row-major; not changed
   * @param rows at least 1
   * @param out [rows x outputs] row-major; receives the result
   * @throws IllegalArgumentException when an array has another length
   * @throws IllegalStateException when the session is closed
   */
  void outputs(double[] x, int rows, double[] out);

  /**
   * Ends the use of the session, and releases its resources when the calls that have begun are done. Closing twice has no effect.
   */
  @Override
  void close();
}
