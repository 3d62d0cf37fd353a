package dev.plumb.backend.reference;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.model.Precision;

class ReferenceContractTest extends BackendContract {
  @Override
  protected Backend openBackend() {
    return new ReferenceBackend();
  }

  @Override
  public Precision precision() {
    return Precision.FP64;
  }

  @Override
  public double rounding() {
    return 1e-14;
  }
}
