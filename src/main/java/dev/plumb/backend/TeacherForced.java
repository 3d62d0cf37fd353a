package dev.plumb.backend;

/**
 * A session whose next step can read the intermediate values of another session in place of its own (teacher forcing); for checks
 * only. A device that rounds its intermediate values differs from a session that does not by far more than one operation's error.
 * With the device's values Z', A' and D', each operation of the step is repeated separately, and no error is propagated:
 *
 * <pre>
 *   forward    Z[l] = A'[l-1]·W[l]ᵀ + b[l]              A[l] = f(Z'[l]) ∘ M[l]
 *   loss       of Z'[last]
 *   backward   D[last] = dLoss/dZ'[last]                D[l] = (D'[l+1]·W[l+1]) ∘ M[l] ∘ f'(Z'[l])
 *              dW[l] = D'[l]ᵀ·A'[l-1]                   db[l] = Σ over the batch of D[l]
 * </pre>
 *
 * <p>A'[-1] is X. The taps of the step are Z, A and D, not the values that it read.
 */
public interface TeacherForced {
  /**
   * Sets the values that the next step of a replica reads. The steps after it read their own again. A step whose batch has
   * another number of rows throws an IllegalArgumentException.
   *
   * @param z Z', [layer][batch of that step x units of the layer] row-major; copied
   * @param a A', likewise
   * @param delta D', likewise
   */
  void force(int replica, double[][] z, double[][] a, double[][] delta);
}
