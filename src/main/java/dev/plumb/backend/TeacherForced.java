package dev.plumb.backend;

/**
 * A session whose next step can read the intermediate values of another session in place of its own (teacher forcing); for checks
 * only. A device that rounds its intermediate values differs from a session that does not by far more than one operation's error.
 * With the device's values Z', H', A' and D', each operation of the step is repeated separately, and no error is propagated:
 *
 * <pre>
 *   forward    Z[l] = A'[l-1]·W[l]ᵀ + b[l]              H[l] = norm(Z'[l])        A[l] = f(H'[l]) ∘ M[l] + R[l]·A'[l-1]
 *   loss       of Z'[last]
 *   backward   D[last] = dLoss/dZ'[last]                G[l] = D'[l+1]·W[l+1] + R[l+1]·G[l+1]
 *              D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H'[l])), where dnorm reads Z'[l]
 *              dW[l] = D'[l]ᵀ·A'[l-1]                   db[l] = Σ over the batch of D[l]
 * </pre>
 *
 * <p>A'[-1] is X; R is 1 in residual layers, otherwise 0. Without normalization H is Z. The taps of the step are Z, H, A and D, not
 * the values that it read.
 */
public interface TeacherForced {
  /**
   * Sets the values that the next step of a replica reads. The steps after it read their own again. A step whose batch has
   * another number of rows throws an IllegalArgumentException.
   *
   * @param z Z', [layer][batch of that step x units of the layer] row-major; copied
   * @param h H', likewise; Z' in layers without normalization
   * @param a A', likewise
   * @param delta D', likewise
   */
  void force(int replica, double[][] z, double[][] h, double[][] a, double[][] delta);
}
