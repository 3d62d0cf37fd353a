package dev.plumb.check;

import java.util.List;

/** Is told what a {@link CheckedBackend} finds. */
public interface CheckListener {
  /**
   * One step was checked.
   *
   * @param tensors replica by replica in the order of comparison; a replica's list ends early where it diverged
   * @throws CheckFailedException to end the training
   */
  void checked(CheckedStep step, List<TensorCheck> tensors);

  /** A replica was not finite any more before a step that was to be checked, and will not be checked again. */
  void notFinite(CheckedStep before, int replica);
}
