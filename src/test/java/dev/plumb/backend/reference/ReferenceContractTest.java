package dev.plumb.backend.reference;

import dev.plumb.backend.Backend;
import dev.plumb.backend.BackendContract;
import dev.plumb.model.Precision;

class ReferenceContractTest extends BackendContract {
  @Override
  protected Backend openBackend() {
    return new ReferenceBackend();
  }

  @Override
  protected Precision precision() {
    return Precision.FP64;
  }

  @Override
  protected double rounding() {
    return 1e-14;
  }
}
