package dev.plumb.check;

import java.util.List;

/** Receives the results of a {@link CheckedBackend}. */
public interface CheckListener {
  /**
   * Called after a step was checked.
   *
   * @param tensors replica by replica in the order of comparison; the list of a replica ends early if it diverged
   * @throws CheckFailedException to end the training
   */
  void checked(CheckedStep step, List<TensorCheck> tensors);

  /** Called when a replica was no longer finite before a step to be checked; it is not checked again. */
  void notFinite(CheckedStep before, int replica);
}
