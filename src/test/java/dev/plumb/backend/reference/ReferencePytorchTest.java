package dev.plumb.backend.reference;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.PytorchContract;
import dev.plumb.model.Precision;

class ReferencePytorchTest extends PytorchContract {
  @Override
  protected Backend openBackend() {
    return new ReferenceBackend();
  }

  @Override
  protected Precision precision() {
    return Precision.FP64;
  }

  @Override
  protected Allowed allowed() {
    return Allowed.of(1e-12);
  }
}
