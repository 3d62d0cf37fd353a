package dev.plumb.check;

import java.util.ArrayList;
import java.util.List;

/** A listener that keeps all results of a check. */
final class RecordedChecks implements CheckListener {
  final List<Long> steps = new ArrayList<>();
  final List<TensorCheck> tensors = new ArrayList<>();
  final List<Long> notFinite = new ArrayList<>();

  @Override
  public void checked(CheckedStep step, List<TensorCheck> found) {
    steps.add(step.step());
    tensors.addAll(found);
  }

  @Override
  public void notFinite(CheckedStep before, int replica) {
    notFinite.add(before.step());
  }

  /** Returns the first check of a tensor. */
  TensorCheck first(String name) {
    return tensors.stream().filter(tensor -> tensor.tensor().name().equals(name)).findFirst().orElseThrow();
  }
}
